package postgres

import "context"

// Dependents returns what keeps relations from being dropped: objects that are not
// dropped along with them, such as views and foreign keys of others, each with what
// it depends on. Drop takes views before materialized views, so it includes
// materialized views that read views.
func (c *Conn) Dependents(ctx context.Context, relations []Relation) ([]string, error) {
	found, err := query[struct{ Text string }](ctx, c, `
		WITH RECURSIVE gone (classid, objid) AS (
			SELECT 'pg_class'::regclass::oid, unnest($1::oid[])
			UNION
			SELECT d.classid, d.objid FROM pg_depend d JOIN gone g ON d.refclassid = g.classid AND d.refobjid = g.objid WHERE d.deptype IN ('a', 'i', 'P', 'S')
		)
		SELECT DISTINCT concat(CASE WHEN r.oid IS NULL THEN pg_describe_object(d.classid, d.objid, d.objsubid) ELSE pg_describe_object('pg_class'::regclass, r.ev_class, 0) END,
			' depends on ', pg_describe_object(d.refclassid, d.refobjid, 0)) AS text
		FROM pg_depend d JOIN gone g ON d.refclassid = g.classid AND d.refobjid = g.objid
			LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
			LEFT JOIN pg_class reader ON reader.oid = r.ev_class
			LEFT JOIN pg_class read ON d.refclassid = 'pg_class'::regclass AND read.oid = d.refobjid
		WHERE d.deptype = 'n' AND (NOT EXISTS (SELECT FROM gone x WHERE x.classid = d.classid AND x.objid = d.objid) OR reader.relkind = 'm' AND read.relkind = 'v')
		ORDER BY text`, oidArray(relations))
	if err != nil {
		return nil, c.Explain(err, "listing dependents of the site's tables")
	}
	names := make([]string, len(found))
	for i, f := range found {
		names[i] = f.Text
	}
	return names, nil
}

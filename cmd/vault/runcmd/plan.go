package runcmd

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/transforms/typemap"
)

// NewPlan returns the command "plan".
func NewPlan(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan PIPELINE",
		Short: "Show what a run would do, without changing anything",
		Long: `Connect to everything and show what a run would do: what would be read, whether it
can be written, and what would be lost. Nothing is changed.`,
		Args: cli.Takes("PIPELINE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.Document.Store(true)
			types, err := cmd.Flags().GetBool("types")
			if err != nil {
				return err
			}
			all, err := cmd.Flags().GetBool("all")
			if err != nil {
				return err
			}
			p, err := a.Runnable(cmd, args[0])
			if err != nil {
				return err
			}
			return withJob(a, cmd.Context(), p, func(job *run.Job) error {
				plan, err := job.Plan(cmd.Context())
				if err != nil {
					return err
				}
				plan.Notes = append(plan.Notes, lowered(p, job)...)
				if a.Flag("json").On {
					err = a.PrintJSON(plan)
				} else {
					err = printPlan(a, plan, all, types)
				}
				return errors.Join(err, job.Refusal())
			})
		},
	}
	cli.PipelineFlags(cmd, true)
	cmd.Flags().Bool("all", false, "list every table, not only the largest")
	cmd.Flags().Bool("types", false, "show the type map and how each column is mapped")
	return cmd
}

// largest is the number of tables that a plan lists by default.
const largest = 10

func printPlan(a *cli.App, p *run.Plan, all, types bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: about %s, %s, %s, %s\n", p.Name, cli.Size(p.Bytes), cli.Count(p.Rows, "row"), cli.Count(len(p.Tables), "table"), cli.Count(p.Units, "unit"))
	for _, key := range []string{"engine", "prefix", "charset", "collation", "consistency"} {
		if v := p.Facts[key]; v != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, cli.Plain(v))
		}
	}
	for _, t := range p.Targets {
		fmt.Fprintf(&b, "%s receives: %s\n", t.Name, strings.Join(t.Parts, ", "))
	}
	cli.Actions(&b, p.Actions)
	cli.Losses(&b, p.Losses)
	cli.Notes(&b, p.Notes)
	if err := a.Print(b.String()); err != nil {
		return err
	}
	if err := a.Table(tables(p.Tables, all)); err != nil || !types {
		return err
	}
	return printTypes(a, p)
}

// tables lists the largest tables and sums up the rest, or lists all.
func tables(list []run.TablePlan, all bool) (lines [][]string) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b run.TablePlan) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Rows, a.Rows), strings.Compare(a.Name, b.Name))
	})
	var rest []run.TablePlan
	if !all && len(list) > largest+1 {
		list, rest = list[:largest], list[largest:]
	}
	about := func(name string, rows, bytes int64) []string {
		return []string{"  " + name, "about " + cli.Count(rows, "row"), cli.Size(bytes)}
	}
	for _, t := range list {
		lines = append(lines, about(cli.Plain(t.Name), t.Rows, t.Bytes))
	}
	if rest == nil {
		return lines
	}
	var rows, bytes int64
	for _, t := range rest {
		rows += t.Rows
		bytes += t.Bytes
	}
	return append(lines, about(fmt.Sprintf("… and %d smaller tables (--all lists them)", len(rest)), rows, bytes))
}

// printTypes prints the rules of the type map for each target and how they are applied.
func printTypes(a *cli.App, p *run.Plan) error {
	sources := map[string]schema.Table{}
	for _, t := range p.Tables {
		sources[t.Name] = t.Source
	}
	for _, target := range p.Targets {
		if target.Dialect == "" {
			continue
		}
		rows := [][]string{{"\ntype map for " + target.Dialect + ":"}}
		for _, r := range typemap.Rules() {
			if r.To == target.Dialect {
				rows = append(rows, []string{"  " + r.From(), r.Native, r.Remark})
			}
		}
		rows = append(rows, []string{"\ncolumns in " + target.Name + ":"})
		for _, t := range target.Tables {
			from := sources[t.Name]
			for i, c := range t.Columns {
				if i < len(from.Columns) {
					rows = append(rows, []string{"  " + cli.Plain(t.Name+"."+c.Name), from.Columns[i].Native, "→ " + spelled(c)})
				}
			}
		}
		if err := a.Table(rows); err != nil {
			return err
		}
	}
	return nil
}

// spelled returns the type of a column in its target's dialect, if that is known.
func spelled(c schema.Column) string {
	if c.Native != "" {
		return c.Native
	}
	return string(c.Type.Kind)
}

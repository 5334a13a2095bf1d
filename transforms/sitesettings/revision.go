package sitesettings

import "strconv"

// ahead is how many seconds a revision may be in the future; it grows faster than time on
// a site that changes often.
const ahead = 3600

// next returns the revision that follows old at a time, in seconds since 1970.
func next(old string, now int64) string {
	n, err := strconv.ParseInt(old, 10, 64)
	if err != nil || n < now || n > now+ahead {
		return strconv.FormatInt(now, 10)
	}
	return strconv.FormatInt(n+1, 10)
}

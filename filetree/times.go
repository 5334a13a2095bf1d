package filetree

import (
	"fmt"
	"math"
	"os"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// setTime sets the times of name in dir. Go's Chtimes counts nanoseconds in 64 bits
// and would silently set wrong times before 1678 and after 2262.
func setTime(dir *os.Root, name string, t time.Time) error {
	if t.Unix() > math.MinInt64/int64(time.Second) && t.Unix() < math.MaxInt64/int64(time.Second) {
		return dir.Chtimes(name, t, t)
	}
	return setFarTime(dir, name, t)
}

// usual reports whether every file system can store a time.
func usual(t time.Time) bool { return t.Unix() >= 0 && t.Unix() < math.MaxInt32 }

// lostTime checks a time that was just set, because a file system that cannot store
// it keeps another one. It returns nil if the time is kept to within the 2 seconds
// that some file systems round to.
func lostTime(dir *os.Root, name string, e stage.Entry) (*stage.Loss, error) {
	if e.ModTime.IsZero() || usual(e.ModTime) {
		return nil, nil
	}
	info, err := dir.Lstat(name)
	if err != nil {
		return nil, err
	}
	if d := info.ModTime().Unix() - e.ModTime.Unix(); d >= -2 && d <= 2 {
		return nil, nil
	}
	return &stage.Loss{Kind: stage.LossTime, Path: e.Path, Count: 1,
		Reason: fmt.Sprintf("the target's file system cannot store its time %s and changed it to %s", timeText(e.ModTime), timeText(info.ModTime()))}, nil
}

func timeText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

package php

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whatever a file contains, Run returns soon and never panics.
func FuzzRun(f *testing.F) {
	seeds, err := filepath.Glob("../siteconfig/testdata/sites/*/*.php")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range seeds {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
	for _, code := range []string{
		"<?php while (1) { $a .= $a . 'x'; $b[] = $b; }",
		"<?php $a = [1]; while (1) { $a = [$a, $a]; }",
		"<?php $a = <<<X\n {$b[\"{$c}\"]} X\n  X;",
		"<?php function f($x) { return f($x . $x); } if (time()) { f('a'); } else { $$x = 1; }",
		"<?php foreach ([1,2] as $k => [$a, 'b' => $c]) { switch ($k) { case time(): continue 2; default: break; } }",
		"<?php while (time()) { if (rand()) { break; } elseif (x()) { continue; } else { return; } }",
		"<?php $CFG->a[time()]->b[] = match (time()) { 1, 2 => fn() => 3, default => $x?->y }; include __FILE__;",
		"<?php try { f(); } catch (A $e) { $a = 1; } catch (B $e) { throw $e; } finally { $a++; }",
	} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		o := options(files("/site/config.php", code))
		o.Limits.Steps = 100_000
		began := time.Now()
		r, err := Run(t.Context(), "/site/config.php", o)
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("it took %s", took)
		}
		var syntax *SyntaxError
		var limit *LimitError
		var end *EndError
		if err != nil {
			if !errors.As(err, &syntax) && !errors.As(err, &limit) && !errors.As(err, &end) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		list, _ := r.Properties("CFG")
		for _, p := range list {
			_ = dump(p.Value)
			if p.Value.Kind() == KindUnknown && p.Value.Unknown().String() == "" {
				t.Errorf("%s is unknown without a reason", p.Name)
			}
		}
	})
}

package scaffold

import (
	"embed"
	"io/fs"
	"path"
	"strings"
	"text/template"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/examples/python"
)

//go:embed templates
var templates embed.FS

// placeholder is the name of the programs in the templates.
const placeholder = "my-stage"

// files returns the content of the project's files by name.
func (p Project) files() (map[string]string, error) {
	if p.Lang == "python" {
		return p.python()
	}
	mod, err := p.module()
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	if err := p.sources(files); err != nil {
		return nil, err
	}
	if mod.sums != "" {
		files["go.sum"] = mod.sums
	}
	return files, fill(files, "project", mod)
}

// sources adds the program for the role under the project's name.
func (p Project) sources(files map[string]string) error {
	dir := "templates/" + string(p.Role)
	if p.Role == stage.RoleTransform {
		dir = "templates/" + p.Kind
	}
	entries, err := templates.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, err := templates.ReadFile(path.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		files[e.Name()] = strings.ReplaceAll(string(text), placeholder, p.Name)
	}
	return nil
}

// python returns the example of a storage and its module, under the project's name.
func (p Project) python() (map[string]string, error) {
	files := map[string]string{}
	for _, name := range []string{"vault_plugin.py", "plugin_pb2.py", "storage_dir.py"} {
		text, err := python.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files[name] = string(text)
	}
	example := files["storage_dir.py"]
	delete(files, "storage_dir.py")
	example = strings.ReplaceAll(example, `Plugin("directory", "1.0.0"`, `Plugin("`+p.Name+`", "0.1.0"`)
	files[p.Name+".py"] = strings.ReplaceAll(example, `name="directory"`, `name="`+p.Name+`"`)
	try, err := templates.ReadFile("templates/storage/try.yaml")
	if err != nil {
		return nil, err
	}
	files["try.yaml"] = strings.ReplaceAll(string(try), placeholder, p.Name)
	for _, name := range []string{"README.md", "gitignore"} {
		if err := fillOne(files, "project/"+name+".tmpl", module{Project: p}); err != nil {
			return nil, err
		}
	}
	return files, fill(files, "python", module{Project: p})
}

// fill adds the templates of a directory.
func fill(files map[string]string, dir string, values module) error {
	all, err := fs.Glob(templates, "templates/"+dir+"/*.tmpl")
	if err != nil {
		return err
	}
	for _, file := range all {
		if err := fillOne(files, strings.TrimPrefix(file, "templates/"), values); err != nil {
			return err
		}
	}
	return nil
}

func fillOne(files map[string]string, file string, values module) error {
	t, err := template.ParseFS(templates, "templates/"+file)
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := t.Execute(&text, values); err != nil {
		return err
	}
	name := strings.TrimSuffix(path.Base(file), ".tmpl")
	if name == "gitignore" {
		name = ".gitignore"
	}
	files[name] = text.String()
	return nil
}

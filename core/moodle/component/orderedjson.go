package component

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// readJSON reads a JSON document with the order that its objects have, as PHP does:
// objects become arrays, numbers float64.
func readJSON(src []byte) (array, error) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	d := json.NewDecoder(bytes.NewReader(src))
	v, err := jsonValue(d, 0)
	if err != nil {
		return nil, err
	}
	object, ok := v.(array)
	if !ok {
		return nil, errors.New("it is not an object")
	}
	if d.More() {
		return nil, errors.New("something follows the object")
	}
	return object, nil
}

func jsonValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("it nests deeper than %d", maxNesting)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	list := array{}
	index := map[string]int{}
	for d.More() {
		var key any = int64(len(list))
		if delim == '{' {
			if key, err = d.Token(); err != nil {
				return nil, err
			}
		}
		value, err := jsonValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		name, named := key.(string)
		if i, ok := index[name]; ok && named {
			list[i].value = value
			continue
		}
		if named {
			index[name] = len(list)
		}
		list = append(list, element{key, value})
	}
	_, err = d.Token() // the end of it
	return list, err
}

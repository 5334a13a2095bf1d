package component

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// element is a member of a JSON object, or an element of a list with its number.
type element struct {
	key   any
	value any
}

// array is a JSON object or list in its order.
type array []element

// get returns the value of a key, nil for none.
func (a array) get(key string) any {
	for _, e := range a {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// maxNesting bounds how deep JSON nests.
const maxNesting = 64

// readJSON reads a JSON document with the order that its objects have, as PHP does.
func readJSON(src []byte) (array, error) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	d := json.NewDecoder(bytes.NewReader(src))
	v, err := jsonValue(d, 0)
	if err != nil {
		return nil, err
	}
	object, ok := v.(array)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	if d.More() {
		return nil, errors.New("unexpected text after the object")
	}
	return object, nil
}

// jsonValue reads a value. If names repeat, the last value counts, at the first position.
func jsonValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("nested deeper than %d", maxNesting)
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
		var key any = len(list)
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

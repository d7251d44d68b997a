package config

import (
	"errors"
	"fmt"
	"io/fs"
)

// largest is how long a config file may be.
const largest = 256 << 10

// Load reads the file at path and the secrets it refers to. The Config is to be used only if the problems hold no error; it is
// nil if the file could not be read at all.
func Load(path string, getenv func(string) string, kinds Kinds) (*Config, Problems) {
	data, err := readFile(path, largest)
	pos := Pos{File: path}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, Problems{pos.Error("there is no such file", "write one like the example in docs/config.md, or name another with -config")}
	case errors.Is(err, errTooLarge):
		return nil, Problems{tooLarge(pos)}
	case err != nil:
		return nil, Problems{pos.Error(fmt.Sprintf("the file cannot be read: %v", err), "name a file that Parley may read with -config")}
	}
	return Parse(path, data, Outside{Getenv: getenv, ReadFile: readSecretFile}, kinds)
}

func tooLarge(pos Pos) Problem {
	return pos.Error(fmt.Sprintf("the file is larger than %d KiB", largest>>10), "move merchants to an installation of their own")
}

// Parse reads a file's text as Load does; name is its path, for problems and relative paths.
func Parse(name string, data []byte, outside Outside, kinds Kinds) (*Config, Problems) {
	if len(data) > largest {
		return nil, Problems{tooLarge(Pos{File: name})}
	}
	root, problem := parseYAML(name, data)
	if problem != nil {
		return nil, Problems{*problem}
	}
	r := newReader(name, outside)
	s := r.mapping(root, scope{label: "this file", fields: Fields(kinds)})
	c := decode(s)
	c.file, c.places = name, r.places
	problems := r.problems
	if r.ended() {
		problems.Sort()
		return c, problems
	}
	for _, p := range Validate(c) {
		if !r.failed[Pos{p.File, p.Line, p.Col}] { // else it only follows from what could not be read there
			problems = append(problems, p)
		}
	}
	problems.Sort()
	return c, problems
}

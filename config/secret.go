package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"
)

const largestSecret = 64 << 10

// Outside is what a file may refer to beyond itself. A nil function finds nothing.
type Outside struct {
	Getenv   func(name string) string          // "" means not set
	ReadFile func(path string) ([]byte, error) // for <name>_file; paths are relative to the folder of the config file
}

// secret reads a secret that stands in the environment, in a file of its own or, with a warning, in plain text.
func (r *reader) secret(f Field, name string, n *yaml.Node, label string) any {
	fromFile := name != f.Name
	t := Secret
	if fromFile {
		t = String
	}
	text, ok := r.text(name, t, n)
	if !ok {
		return nil
	}
	if text == "" {
		r.empty(name, n)
		return nil
	}
	if !fromFile {
		if !r.literal && !strings.Contains(n.Value, "${") {
			r.add(r.at(n).Warning(name+" stands here in plain text",
				fmt.Sprintf("write ${%s} and set that variable, or name a file with %s", variable(label, name), name+fileSuffix)))
		}
		return Mask(text)
	}
	if r.out.ReadFile == nil {
		return nil
	}
	data, err := r.out.ReadFile(beside(r.file, text))
	if err != nil {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err
		}
		r.fail(n, "write the path of a file that Parley may read", "%s %s cannot be read: %v", name, quote(String, n.Value), err)
		return nil
	}
	secret := strings.TrimRight(string(data), "\r\n")
	if secret == "" {
		r.fail(n, "write the secret into it", "%s %s is an empty file", name, quote(String, n.Value))
		return nil
	}
	return Mask(secret)
}

// beside resolves a path that stands in a config file.
func beside(file, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

func readSecretFile(path string) ([]byte, error) { return readFile(path, largestSecret) }

// errTooLarge is why a file was not read to its end.
var errTooLarge = errors.New("it is too large")

// readFile refuses what is not a plain file, because a pipe could block the start for ever.
func readFile(path string, largest int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a plain file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(file, largest+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	if int64(len(data)) > largest {
		return nil, errTooLarge
	}
	return data, nil
}

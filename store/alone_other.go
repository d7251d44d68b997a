//go:build !unix

package store

import "os"

// holdAlone does nothing here: that one process alone serves an SQLite file is up to the operator.
func holdAlone(string) (*os.File, error) { return nil, nil }

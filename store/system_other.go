//go:build !unix

package store

import (
	"errors"
	"os"
)

var errNotSupported = errors.New("not supported on this system")

// lockFile: the engine's maps are not synced on these systems, so a store there
// would promise what it cannot keep.
func lockFile(string) (*os.File, error) { return nil, errNotSupported }

func freeSpace(string) (uint64, error) { return 0, errNotSupported }

func syncDir(string) error { return errNotSupported }

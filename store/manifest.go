package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	badger "github.com/dgraph-io/badger/v4"
)

// The form of Badger's list of tables: a header, then entries of length, CRC-32C,
// payload.
const (
	manifestHeader = 8
	manifestEntry  = 8
)

// checkManifest finds damage that Badger would answer by dropping the rest of the
// list, and then deleting the tables that it no longer names. After a crash the
// list ends in a torn entry, of which some of the payload is missing. If the sum of
// an entry that seems to be torn is right for some of what is there, then nothing
// is missing, and its length is wrong.
func checkManifest(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: check the list of tables: %w", err)
	}
	for at := manifestHeader; len(b)-at >= manifestEntry; {
		length, sum := uint64(binary.BigEndian.Uint32(b[at:])), binary.BigEndian.Uint32(b[at+4:])
		rest := b[at+manifestEntry:]
		if length <= uint64(len(rest)) {
			if crc32.Checksum(rest[:length], castagnoli) != sum {
				return fmt.Errorf("%w: %s at byte %d", ErrCorrupt, badger.ManifestFilename, at)
			}
			at += manifestEntry + int(length)
			continue
		}
		whole := at == manifestHeader && sum == 0 // the first one is empty
		for i, crc := 0, uint32(0); i < len(rest) && !whole; i++ {
			crc = crc32.Update(crc, castagnoli, rest[i:i+1])
			whole = crc == sum
		}
		if whole {
			return fmt.Errorf("%w: %s at byte %d: the entry is whole, its length is not right", ErrCorrupt, badger.ManifestFilename, at)
		}
		return nil
	}
	return nil
}

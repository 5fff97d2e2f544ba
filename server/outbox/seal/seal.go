// Package seal keeps secrets that must be readable again: they are encrypted
// with a key that lies outside the store's folder, so that a copy of the store
// alone tells nothing.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// KeyFile is the key's name in the data folder, beside the store's.
const KeyFile = "secret.key"

const keySize = 32

// ErrKey says that a secret was sealed with another key, for another owner, or
// was damaged.
var ErrKey = errors.New("seal: the key does not open this secret")

// Box seals and opens secrets.
type Box struct {
	aead   cipher.AEAD
	random io.Reader
}

// New makes a Box with a key. random nil is the system's source.
func New(key [keySize]byte, random io.Reader) (*Box, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if random == nil {
		random = rand.Reader
	}
	return &Box{aead: aead, random: random}, nil
}

// Load reads the key of a data folder, and makes one at the first start. A key
// that others can read is refused: it would protect nothing.
func Load(dir string) (*Box, error) {
	path := filepath.Join(dir, KeyFile)
	text, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(path); err == nil {
			text, err = read(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) != keySize {
		return nil, fmt.Errorf("seal: %s is not a key of %d bytes in hex", KeyFile, keySize)
	}
	return New([keySize]byte(raw), nil)
}

func read(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by others (mode %v): set it to 0600", KeyFile, info.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	return string(b), err
}

// create writes a new key aside, syncs it and links it into place, so that a
// crash leaves a whole key or none and a second process never replaces the first
// one's.
func create(path string) error {
	var key [keySize]byte
	if _, err := io.ReadFull(rand.Reader, key[:]); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), KeyFile+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(hex.EncodeToString(key[:]) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Seal encrypts a secret. owner is bound to it: what was sealed for one cannot
// be passed off as another's.
func (b *Box) Seal(owner, secret string) ([]byte, error) {
	nonce := make([]byte, b.aead.NonceSize(), b.aead.NonceSize()+len(secret)+b.aead.Overhead())
	if _, err := io.ReadFull(b.random, nonce); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return b.aead.Seal(nonce, nonce, []byte(secret), []byte(owner)), nil
}

// Open decrypts what Seal made, or ErrKey.
func (b *Box) Open(owner string, sealed []byte) (string, error) {
	n := b.aead.NonceSize()
	if len(sealed) < n {
		return "", ErrKey
	}
	plain, err := b.aead.Open(nil, sealed[:n], sealed[n:], []byte(owner))
	if err != nil {
		return "", ErrKey
	}
	return string(plain), nil
}

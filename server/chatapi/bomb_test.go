package chatapi

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"runtime"
	"testing"
)

// TestImageBombs: a picture is measured before it is decoded, so a few bytes that
// claim to be thousands of millions of pixels take no memory.
func TestImageBombs(t *testing.T) {
	var good bytes.Buffer
	if err := png.Encode(&good, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	if thumbnail(good.Bytes()) == nil {
		t.Fatal("a good picture has no thumbnail: nothing was tested")
	}
	for _, side := range []uint32{30_000, 1 << 20, 1<<31 - 1} {
		bomb := bytes.Clone(good.Bytes())
		binary.BigEndian.PutUint32(bomb[16:], side)
		binary.BigEndian.PutUint32(bomb[20:], side)
		binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if thumbnail(bomb) != nil {
			t.Errorf("a picture of %d by %d pixels was decoded", side, side)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
			t.Errorf("measuring a picture of %d by %d pixels took %d MiB", side, side, took>>20)
		}
	}
}

//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// crowd is a process of readers.
type crowd struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	enc *json.Encoder
	dec *json.Decoder
}

func newCrowd() (*crowd, error) {
	cmd := exec.Command("/proc/self/exe", "readers")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &crowd{cmd: cmd, in: in, enc: json.NewEncoder(in), dec: json.NewDecoder(out)}, nil
}

func (c *crowd) do(o readerOrder) (r readerReport, err error) {
	if err = c.enc.Encode(o); err == nil {
		err = c.dec.Decode(&r)
	}
	if err != nil {
		return r, fmt.Errorf("readers: %w", err)
	}
	if r.Error != "" {
		err = errors.New(r.Error)
	}
	return r, err
}

func (c *crowd) stop() {
	_ = c.in.Close()
	_ = c.cmd.Wait()
}

// Package child runs the servers under test as processes of their own, so that each has its own heap and its own account of CPU.
package child

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a server that runs.
type Process struct {
	Name string
	Addr string // host and port where it serves
	cmd  *exec.Cmd
	exit chan error
	said *output
}

// Start runs a command and waits until it says where it serves: serving is looked for in what it writes, and its first group is
// the address. The process ends with this one.
func Start(name string, cmd *exec.Cmd, serving *regexp.Regexp) (*Process, error) {
	p := &Process{Name: name, cmd: cmd, exit: make(chan error, 1), said: &output{pattern: serving, found: make(chan string, 1)}}
	cmd.Stdout, cmd.Stderr = p.said, p.said
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() { p.exit <- cmd.Wait() }() // Stop and Kill wait for it
	select {
	case p.Addr = <-p.said.found:
		return p, nil
	case err := <-p.exit:
		return nil, fmt.Errorf("%s ended at its start: %w\n%s", name, err, p.said)
	case <-time.After(time.Minute):
		p.Kill()
		return nil, fmt.Errorf("%s does not say where it serves:\n%s", name, p.said)
	}
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Said is the end of what the process wrote.
func (p *Process) Said() string { return p.said.String() }

// Stop asks the process to end and waits for it.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.exit:
		var code *exec.ExitError
		if errors.As(err, &code) && code.ExitCode() < 0 { // ended by the signal
			return nil
		}
		if err != nil {
			return fmt.Errorf("stop %s: %w\n%s", p.Name, err, p.said)
		}
		return nil
	case <-time.After(20 * time.Second):
		p.Kill()
		return fmt.Errorf("stop %s: it did not end within 20 s of SIGTERM", p.Name)
	}
}

// Kill ends the process at once.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.exit //nolint:errcheck // it was killed
}

// output keeps the end of what a process writes and looks in its beginning for the address.
type output struct {
	pattern *regexp.Regexp
	found   chan string

	mu   sync.Mutex
	text bytes.Buffer
	done bool
}

const kept = 16 << 10

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(b)
	if !o.done {
		if m := o.pattern.FindSubmatch(o.text.Bytes()); m != nil {
			o.done = true
			o.found <- string(m[1])
		}
	}
	if o.text.Len() > 4*kept {
		o.text.Next(o.text.Len() - kept)
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := o.text.String()
	return strings.TrimSpace(text[max(0, len(text)-kept):])
}

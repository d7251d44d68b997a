package proc

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestStatLineIsReadBehindANameWithBrackets(t *testing.T) {
	line := "42 (a) b (c) S 7 42 42 0 -1 4194304 1 0 0 0 150 50 25 5 20 0 3 0 100 1000000 300 18446744073709551615 1 1 0"
	got, err := parse(42, []byte(line))
	if err != nil {
		t.Fatal(err)
	}
	want := process{pid: 42, parent: 7, own: 2 * time.Second, waited: 300 * time.Millisecond, residentPage: 300}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTreeCountsChildrenThatRunAndChildrenThatEnded(t *testing.T) {
	before := Tree(os.Getpid())
	cmd := exec.Command("sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; read x")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("skipped: there is no shell: %v", err)
	}
	if _, err := out.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	running := Tree(os.Getpid())
	_ = in.Close()
	_ = cmd.Wait()
	ended := Tree(os.Getpid())
	if running-before < tick || ended < running {
		t.Errorf("before %v, with the child %v, after it %v: want the child counted in both", before, running, ended)
	}
}

func TestOwnMemoryIsNotNothing(t *testing.T) {
	if got := Resident(os.Getpid()); got < 1<<20 {
		t.Errorf("resident memory of this test: %d bytes", got)
	}
	if got := Resident(-1); got != 0 {
		t.Errorf("resident memory of no process: %d", got)
	}
}

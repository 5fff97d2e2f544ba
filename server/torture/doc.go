// Package torture holds tests only: they do to a whole node what happens to
// machines, links and people's patience, and check that nothing that was
// acknowledged is lost, nothing is half done, and nobody is told anything wrong.
// Without the build tag torture the same tests run a few rounds, for CI; with it
// (make torture) they run for minutes.
//
//   - child_test.go: the node under test, a process of its own that ends itself
//     with SIGKILL at a named point
//   - load_test.go: clerks and visitors who retry, and remember every answer
//   - points_test.go: the named crash points
//   - crash_test.go: crashes, one after another, on the same data
//   - disk_test.go: a disk that is full, slow, read-only, torn, or failing
//   - power_test.go, lossy_test.go: a power cut, on a file system of our own
//     that forgets what was not synced (tag torture)
//   - proxy_test.go, link_test.go: links that are cut at every byte, or stall
//   - history_test.go: histories of concurrent commands over sockets, with kills
//   - hostile_test.go, attack_test.go: clients that mean harm
//   - replies_test.go: replies that are lost, and many who want the same ticket
//   - storm_test.go: everybody at once, and for long
//   - crowd_test.go, fan_test.go: thousands of screens in a process of their own
//   - fleet_test.go: all of them come back at once, and a node restarts under them
//   - slow_test.go: readers of a byte a second, and clients whose process is stopped
//   - memory_test.go: what a node holds, whatever the machine is late with
//   - erase_test.go: what was erased is in no file any more
//   - golden_test.go, golden_rich_test.go: data folders of earlier versions
//   - security_test.go: every test that SECURITY.md and INVARIANTS.md name exists
//   - mutants: one-line breaks of the invariants, each killed by a named test
package torture

// Command display is a lobby screen without a browser: a full-screen board for
// a terminal, or with -json one line per change for other hardware.
//
//   - main.go: wiring, signals, exit codes; config.go: flags and environment
//   - app.go: the loop that folds what the hub says and paints it
//   - model.go: what a moment on the screen consists of, and how old it is
//   - render.go, listing.go: model and size to a frame, without any I/O
//   - frame.go, font.go, text.go: cells, block letters, cleaning of foreign text
//   - terminal.go, jsonlines.go: the two outputs
//
// Text from the network is cleaned where it enters a frame or a line of JSON,
// so that no name can carry an escape sequence to the terminal.
package main

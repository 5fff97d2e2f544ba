// Package board folds the publications of a board channel into what a lobby
// screen shows, as PROTOCOL.md "Board" describes. It is pure: no clock, no
// randomness, no I/O. The scenarios in testdata are run by the page's fold too,
// so that a television and a terminal never show different things.
package board

// Package ops is what every door of the server needs and no door should write
// again: logging, coded errors, metrics, health, limits, and safe headers.
package ops

// Package wire is the hub's wire contract v1 as PROTOCOL.md describes it:
// frames, channel names, error codes and close codes, decoded strictly and
// encoded once. It does no I/O and knows no domain. The golden files in
// testdata are read by the TypeScript client's tests too.
package wire

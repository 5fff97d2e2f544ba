// Package store keeps the journals: per location an ordered, hash-chained run of
// records, together with everything that has to change in the same instant as
// the journal does (ticket versions, search indexes, idempotency results).
// Records and documents are opaque bytes here; the store knows no domain.
//
// [Badger] is the engine on disk, package memlog the one in memory, and package
// storetest the contract that both are tested against.
//
// # The folder
//
// FORMAT names the format version and is read before anything else is touched.
// store.lock is held while a process has the folder open. Everything else is
// Badger's.
//
// # Keyspace, version 1
//
// Every key starts with the keyspace version (byte 1) and one letter. Numbers
// have a fixed width and are big-endian, so that byte order is their order:
// location 4 bytes, ticket, offset, seq, time and generation 8, chunk 4. A text
// inside a key carries its length in one byte; a text at the end does not. A
// time is nanoseconds since 1970 with the sign bit turned over, and 0 for none.
//
//	r location offset part   part 0: the record's header, digest, hash, facts; stays for ever
//	                         part 1: salt and personal payload; overwritten by a mark on erasure
//	h location               head: epoch, offset, hash, number of live tickets, offset of the last erasure; stays
//	o ticket location offset records with a personal payload (no value); deleted by the ticket's erasure
//	t ticket                 newest version: location, index, document; deleted by an erasure without a new version
//	l location ticket        live tickets (no value); deleted when the ticket is no longer live
//	n location status ticket index entry, by status and id
//	c location time ticket   index entry, by created
//	d location time ticket   index entry, by called; only tickets that were called
//	v location time ticket   index entry, by served; only tickets that were served
//	                         n, c, d, v hold the whole Index, so filters need no document;
//	                         each is deleted by the commit that moves or erases the ticket
//	e ticket seq             one entry of a conversation; deleted by the ticket's erasure
//	i key                    idempotency result: time, ticket, value; deleted after ResultTTL; the ticket's erasure takes the value
//	j ticket key             results of a ticket: time; deleted with the result
//	f kind key               document; deleted by a nil Value
//	s location               snapshot: offset, generation, chunks, length; replaced by the next, deleted by an erasure
//	S location generation n  one chunk of a snapshot; deleted when another generation takes over
//	x ticket                 an erasure that needs more than one transaction: up to which seq and offsets; deleted by its last one
//
// Values that are read whole (t, e, i, f, s, S, h) end in a CRC-32C: the engine
// checks whole tables (see [Badger.Verify]), and its iterators take a block that
// cannot be read for the end of the data, so damage must show in the values.
//
// # The chain
//
// A record's hash is SHA-256 over the previous record's hash, location, offset,
// header, the digest of the personal payload, and the facts. The digest is
// SHA-256 over a random salt and the payload; an erasure takes the salt away with
// the payload, so the chain still holds and the digest tells nothing.
//
// # Limits
//
// A commit is one transaction of at most [Badger.MaxCommit] bytes as [Size]
// counts them; one value has at most 1 MiB. An erasure takes as many more as a
// long thread needs; they follow at once, or when the store is opened again.
package store

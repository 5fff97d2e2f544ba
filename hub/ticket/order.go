package ticket

import "slices"

// roomStep is the gap left when places are moved apart, in milliseconds: room
// for ten more insertions at the same spot before the next move.
const roomStep = 1000

// move is one ticket's new key.
type move struct {
	id    int64
	order int64
}

// orderFirst is a key before everybody who waits in the line.
func (s *State) orderFirst(line int, now int64) int64 {
	list := s.waiting[line]
	if len(list) == 0 {
		return now
	}
	return min(list[0].order-roomStep, now)
}

// orderAfter finds a key right behind position i of the line's waiting list.
// Keys are whole milliseconds, as they are served, so that a client that sorts
// by them sees the same order. Where there is no room, those ahead move earlier:
// moving anybody later could put them behind tickets that are yet to come.
func (s *State) orderAfter(line, i int, now int64) (int64, []move) {
	list := s.waiting[line]
	if i+1 >= len(list) { // behind everybody, but not behind those yet to come
		return max(list[i].order+1, min(list[i].order+roomStep, now)), nil
	}
	next := list[i+1].order
	if room := next - list[i].order; room >= 2 {
		return list[i].order + room/2, nil
	}
	var moves []move
	limit := next - roomStep
	for j := i; j >= 0 && list[j].order > limit; j-- {
		moves = append(moves, move{list[j].id, limit})
		limit -= roomStep
	}
	slices.Reverse(moves) // the first goes first, so that at no moment anybody overtakes
	return next - roomStep/2, moves
}

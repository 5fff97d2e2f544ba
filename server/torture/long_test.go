//go:build unix && torture

package torture

// long says that there is time: minutes, not seconds.
const long = true

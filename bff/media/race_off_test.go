//go:build !race

package media

// raceDetector reports whether the race detector is on.
const raceDetector = false

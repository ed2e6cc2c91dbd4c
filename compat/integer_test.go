package compat

import (
	"math/big"
	"regexp"
	"strings"
	"testing"
)

// A variable of type Int has 32 bits.
func TestReadInt(t *testing.T) {
	for text, want := range map[string]any{
		"-2147483648": int64(-2147483648), "2.147483647e9": int64(2147483647), "0": int64(0),
		"2147483648": nil, "-2147483649": nil, "1.5": nil, "x": nil,
	} {
		if got, must := parseInt(text); got != want || (must == "") != (want != nil) {
			t.Errorf("%s: got %v, must be %q", text, got, must)
		}
	}
}

// FuzzInteger compares parseInteger with math/big.
func FuzzInteger(f *testing.F) {
	for _, seed := range []string{
		"0", "-1", "+7", "007", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1.234567e+06",
		"-1.5e1", "15e-1", "1500E-2", "0.000e9", "1e18", "1e19", "9.223372036854775807e18", "0e99999999999999999999",
		"1e99999999999999999999", "1E0000", "1.", ".1", "1e", "0x10", "1_0", "1 0", "1.5e 01", "", "-", "١",
	} {
		f.Add(seed)
	}
	number := regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+ -]?0*[0-9]{1,3})?$`)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 500 {
			return // so that a longer exponent makes any number huge or a fraction
		}
		got, ok := parseInteger(text)
		if !number.MatchString(text) {
			if ok && (!decimal.MatchString(text) || got != 0) {
				t.Fatalf("%q is no number, but was read as %d", text, got)
			}
			return
		}
		exact, valid := new(big.Rat).SetString(strings.Replace(text, " ", "+", 1))
		if !valid {
			t.Fatalf("the oracle cannot read %q", text)
		}
		want := exact.IsInt() && exact.Num().IsInt64()
		if ok != want || ok && got != exact.Num().Int64() {
			t.Fatalf("%q is %s, but was read as %d %v", text, exact, got, ok)
		}
	})
}

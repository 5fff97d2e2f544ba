package sms

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// maxNumber bounds what is parsed as a number.
const maxNumber = 40

// Normalise puts a phone number as people write it into international form
// (E.164). A number without a country code is one of country, two letters; ok is
// false for what cannot be a number.
func Normalise(number, country string) (e164 string, ok bool) {
	number = strings.TrimSpace(number)
	if number == "" || len(number) > maxNumber {
		return "", false
	}
	country = strings.ToUpper(country)
	if country == "" {
		country = "ZZ" // then only numbers with a country code are understood
	}
	n, err := phonenumbers.Parse(number, country)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		// The queue API's clients know numbers as numbers: the + gets lost.
		if strings.HasPrefix(number, "+") {
			return "", false
		}
		n, err = phonenumbers.Parse("+"+number, country)
		if err != nil || !phonenumbers.IsValidNumber(n) {
			return "", false
		}
	}
	return phonenumbers.Format(n, phonenumbers.E164), true
}

// ending is the last digits of a number as entered: two numbers that differ in
// them are different, which spares parsing most.
func ending(number string) string {
	digits := make([]byte, 0, 4)
	for i := len(number) - 1; i >= 0 && len(digits) < 4; i-- {
		if c := number[i]; c >= '0' && c <= '9' {
			digits = append(digits, c)
		}
	}
	return string(digits)
}

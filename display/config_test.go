package main

import (
	"io"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	token := envPrefix + "TOKEN=secret"
	for _, c := range []struct {
		name    string
		args    string
		environ []string
		want    config
	}{
		{"defaults", "", []string{token},
			config{server: "http://127.0.0.1:8080", token: "secret", location: 1}},
		{"flags", "-server https://q.example -token T -location 4 -desk 2 -json -size 200x50", nil,
			config{server: "https://q.example", token: "T", location: 4, desk: 2, json: true, w: 200, h: 50}},
		{"environment", "", []string{token, envPrefix + "SERVER=http://h", envPrefix + "JSON=true", envPrefix + "LOCATION=3", "PATH=x"},
			config{server: "http://h", token: "secret", location: 3, json: true}},
		{"flags over environment", "-location 5", []string{token, envPrefix + "LOCATION=3"},
			config{server: "http://127.0.0.1:8080", token: "secret", location: 5}},
	} {
		got, err := parseConfig(strings.Fields(c.args), c.environ, io.Discard)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func TestConfigRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		args    string
		environ string
	}{
		"no token":            {"", ""},
		"unknown flag":        {"-token T -speed 3", ""},
		"unknown environment": {"-token T", envPrefix + "SPEED=3"},
		"lower case":          {"-token T", envPrefix + "server=http://h"},
		"wrong environment":   {"-token T", envPrefix + "LOCATION=secret"},
		"argument":            {"-token T board", ""},
		"server":              {"-token T -server localhost", ""},
		"location":            {"-token T -location 0", ""},
		"desk":                {"-token T -desk -1", ""},
		"size":                {"-token T -size 80", ""},
		"no size":             {"-token T -size 0x5", ""},
		"huge size":           {"-token T -size 80x9999", ""},
	} {
		_, err := parseConfig(strings.Fields(c.args), []string{c.environ}, io.Discard)
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the message repeats a value that may be a token: %v", name, err)
		}
	}
}

// Command ghlogin keeps logins as gh 2.40 and newer do, by gh's own libraries: go-gh writes hosts.yml,
// and go-keyring the items beside it. Debian 12's gh is older, and knows one account for each host.
//
//	ghlogin keep HOST USER          a token, which standard input says, in the file
//	ghlogin keep-secure HOST USER   the same, in the keyring
//	ghlogin token HOST              the token that gh's libraries have for a host
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cli/go-gh/v2/pkg/auth"
	"github.com/cli/go-gh/v2/pkg/config"
	"github.com/zalando/go-keyring"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ghlogin:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	switch {
	case len(words) == 2 && words[0] == "token":
		return tell(words[1])
	case len(words) == 3 && strings.HasPrefix(words[0], "keep"):
		said, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		return keep(words[1], words[2], strings.TrimSpace(string(said)), words[0] == "keep-secure")
	}
	return fmt.Errorf("what is %q", words)
}

// tell writes the token of a host; gh asks the keyring where neither a variable nor the file has one.
func tell(host string) error {
	token, _ := auth.TokenFromEnvOrConfig(host)
	if token == "" {
		token, _ = keyring.Get("gh:"+auth.NormalizeHostname(host), "")
	}
	fmt.Println(token)
	return nil
}

// keep makes a user the active one of a host: its token is there under its name and once more.
func keep(host, user, token string, secure bool) error {
	hosts, err := config.Read(nil)
	if err != nil {
		return err
	}
	if secure {
		for _, name := range []string{user, ""} {
			if err := keyring.Set("gh:"+host, name, token); err != nil {
				return err
			}
		}
	}
	of := func(keys ...string) []string { return append([]string{"hosts", host}, keys...) }
	hosts.Set(of("git_protocol"), "https")
	if secure {
		hosts.Set(of("users", user), "")
	} else {
		hosts.Set(of("users", user, "oauth_token"), token)
		hosts.Set(of("oauth_token"), token)
	}
	hosts.Set(of("user"), user)
	return config.Write(hosts)
}

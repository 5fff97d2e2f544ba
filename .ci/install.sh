# Sourced: "install WHAT PACKAGE..." puts system packages in place, or says what
# is missing.
install() {
	local what=$1 as_root=()
	shift
	if [ "$(id -u)" != 0 ]; then
		if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
			echo "no $what found, and no right to install one" >&2
			return 1
		fi
		as_root=(sudo -n)
	fi
	if ! command -v apt-get >/dev/null; then
		echo "no $what found, and no apt-get to install it with" >&2
		return 1
	fi
	echo "installing $*" >&2
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

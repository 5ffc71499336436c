// SPDX-License-Identifier: GPL-2.0
// A flood of strangers from the address of a peer, who do not know the cluster's
// key. It runs in a guest:
//
//	strangers CLUSTER FROM TO PER_SECOND SECONDS
//
// opens so many connections a second to 10.77.0.TO, as node FROM would, in turn
// one that says nothing, one that says garbage, and one with a right Hello and a
// wrong proof, and keeps each until the other end closes it. Says how many there
// were; the status is not 0 if some are still there five seconds later.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint16_t kPort = 7403;
constexpr std::chrono::seconds kPatience{5};

enum class Kind { Silent, Garbage, WrongProof, Count };

struct Flood {
	std::string cluster;
	std::uint16_t from, to;
	int per_second, seconds;
};

// --- what they say: Documentation/protocol.rst -----------------------------------

using Bytes = std::vector<std::uint8_t>;

void put(Bytes &bytes, std::size_t at, std::size_t width, std::uint64_t value)
{
	while (width-- > 0) {
		bytes[at + width] = value & 0xff;
		value >>= 8;
	}
}

Bytes frame(const Flood &flood, std::uint8_t kind, std::size_t length)
{
	constexpr std::size_t kHeader = 48;
	Bytes bytes(kHeader + length, 0);

	put(bytes, 0, 2, 0x4343);
	put(bytes, 2, 1, 1);
	put(bytes, 3, 1, kind);
	put(bytes, 8, 2, flood.from);
	put(bytes, 10, 2, flood.to);
	put(bytes, 28, 4, length);
	return bytes;
}

Bytes hello_and_wrong_proof(const Flood &flood)
{
	Bytes hello = frame(flood, 1, 96), proof = frame(flood, 8, 32);

	std::memcpy(&hello[48], flood.cluster.data(), flood.cluster.size());
	put(hello, 48 + 56, 4, 1); // our cluster has a key
	put(hello, 48 + 60, 4, 16384);
	hello.insert(hello.end(), proof.begin(), proof.end());
	return hello;
}

Bytes words(const Flood &flood, Kind kind)
{
	switch (kind) {
	case Kind::Garbage:
		return Bytes(1000, 'x');
	case Kind::WrongProof:
		return hello_and_wrong_proof(flood);
	default:
		return {};
	}
}

// --- connections ---------------------------------------------------------------------

sockaddr_in address(std::uint16_t node, std::uint16_t port)
{
	sockaddr_in address{};

	address.sin_family = AF_INET;
	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl((10u << 24 | 77u << 16) + node);
	return address;
}

[[noreturn]] void die(const char *what)
{
	std::cerr << "strangers: " << what << ": " << std::strerror(errno)
		  << '\n';
	std::exit(1);
}

int begin(const Flood &flood)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	const sockaddr_in from = address(flood.from, 0),
			  to = address(flood.to, kPort);

	if (fd < 0 ||
	    bind(fd, reinterpret_cast<const sockaddr *>(&from), sizeof(from)))
		die("cannot have a socket of that address");
	if (connect(fd, reinterpret_cast<const sockaddr *>(&to), sizeof(to)) &&
	    errno != EINPROGRESS)
		die("cannot connect");
	return fd;
}

// Each by its descriptor, with what it has still to say.
using Strangers = std::map<int, Bytes>;

// Those that are connected speak; those that the other end has closed go.
int serve(Strangers &strangers, int milliseconds)
{
	std::vector<pollfd> polled;
	int closed = 0;

	for (const auto &[fd, bytes] : strangers)
		polled.push_back(
			{fd,
			 static_cast<short>(bytes.empty() ? POLLIN
							  : POLLOUT | POLLIN),
			 0});
	poll(polled.data(), polled.size(), milliseconds);
	for (const pollfd &one : polled) {
		Bytes &bytes = strangers[one.fd];
		std::array<char, 256> said{};

		if (one.revents & POLLOUT &&
		    send(one.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0)
			bytes.clear();
		if (one.revents & (POLLIN | POLLERR | POLLHUP) &&
		    read(one.fd, said.data(), said.size()) <= 0) {
			close(one.fd);
			strangers.erase(one.fd);
			closed++;
		}
	}
	return closed;
}

// Whether all were sent away.
bool flood(const Flood &flood)
{
	const auto pause =
		std::chrono::nanoseconds(1'000'000'000 / flood.per_second);
	const int all = flood.per_second * flood.seconds;
	auto next = Clock::now();
	Strangers strangers;
	std::size_t most = 0;
	int begun = 0, closed = 0;

	while (begun < all) {
		for (; begun < all && Clock::now() >= next; next += pause)
			strangers[begin(flood)] = words(
				flood, static_cast<Kind>(
					       begun++ %
					       static_cast<int>(Kind::Count)));
		most = std::max(most, strangers.size());
		closed += serve(strangers, 1);
	}
	while (!strangers.empty() && Clock::now() < next + kPatience)
		closed += serve(strangers, 100);
	std::cout << begun << " strangers came, " << closed
		  << " were sent away, " << most << " were there at a time\n";
	return closed == begun;
}

}

int main(int argc, char **argv)
{
	const rlimit many{65536, 65536};

	if (argc != 6) {
		std::cerr << "strangers CLUSTER FROM TO PER_SECOND SECONDS\n";
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &many);
	const bool all =
		flood({argv[1], static_cast<std::uint16_t>(std::atoi(argv[2])),
		       static_cast<std::uint16_t>(std::atoi(argv[3])),
		       std::atoi(argv[4]), std::atoi(argv[5])});
	return all ? 0 : 1;
}

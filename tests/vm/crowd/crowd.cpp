// SPDX-License-Identifier: GPL-2.0
// Many nodes in one kernel that all connect to the same one, at once. It runs in a
// guest:
//
//	crowd COUNT MS
//
// Node N lives in the network namespace that /run/netns/mN names, at 10.78.0.N, and
// connects to node COUNT + 1, in that of /run/netns/hub, at 10.78.1.1. Says how long
// it took to ask them all to, and until the last one was up; the status is not 0 if
// that was later than MS milliseconds.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <list>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "ccm.hpp"
#include "failure.hpp"

using ccmctl::Ccm;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{60};

// Requests go to the namespace that their socket was made in.
void enter(const std::string &name)
{
	const int fd = open(("/run/netns/" + name).c_str(), O_RDONLY);

	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		throw ccmctl::Failure("no namespace " + name);
	close(fd);
}

void make_node(Ccm &ccm, std::uint32_t number, const std::string &address)
{
	ccm.set_insecure();
	ccm.set_node(
		{.number = number,
		 .cluster = "crowd",
		 .local = ccmctl::parse_endpoint(address, CCM_PORT_DEFAULT)});
}

void add_peer(Ccm &ccm, std::uint32_t number, const std::string &address)
{
	ccm.add_peer(
		{.number = number,
		 .remote = ccmctl::parse_endpoint(address, CCM_PORT_DEFAULT),
		 .timeout_ms = {}});
}

const char kHubAddress[] = "10.78.1.1";

std::string address_of(std::uint32_t number)
{
	return "10.78.0." + std::to_string(number);
}

void make_hub(Ccm &hub, std::uint32_t count)
{
	make_node(hub, count + 1, kHubAddress);
	for (std::uint32_t n = 1; n <= count; n++) {
		add_peer(hub, n, address_of(n));
		hub.listen(n);
	}
}

std::uint32_t up_at(Ccm &hub)
{
	std::uint32_t up = 0;

	for (const ccmctl::Peer &peer : hub.peers())
		up += !peer.self && peer.state == CCM_STATE_UP;
	return up;
}

long long ms_since(Clock::time_point when)
{
	return std::chrono::duration_cast<std::chrono::milliseconds>(
		       Clock::now() - when)
		.count();
}

bool join(std::uint32_t count, long long most_ms)
{
	std::list<Ccm> members;

	enter("hub");
	Ccm hub;
	make_hub(hub, count);
	for (std::uint32_t n = 1; n <= count; n++) {
		enter("m" + std::to_string(n));
		make_node(members.emplace_back(), n, address_of(n));
		add_peer(members.back(), count + 1, kHubAddress);
	}

	const Clock::time_point begin = Clock::now();
	for (Ccm &member : members)
		member.connect(count + 1);
	std::cout << "# ms to ask " << count << " nodes: " << ms_since(begin)
		  << '\n';
	while (up_at(hub) < count && Clock::now() - begin < kPatience)
		std::this_thread::sleep_for(std::chrono::milliseconds(20));
	const long long took = ms_since(begin);
	std::cout << "# ms until " << up_at(hub) << " of " << count
		  << " are up: " << took << " (goal: at most " << most_ms
		  << ")\n";
	for (const ccmctl::Counter &counter : hub.node().stats)
		if (counter.value != 0)
			std::cout << counter.name << ' ' << counter.value
				  << '\n';
	return up_at(hub) == count && took <= most_ms;
}

}

int main(int argc, char **argv)
{
	if (argc != 3) {
		std::cerr << "usage: crowd COUNT MS\n";
		return 2;
	}
	try {
		return join(static_cast<std::uint32_t>(std::atoi(argv[1])),
			    std::atoi(argv[2]))
			       ? 0
			       : 1;
	} catch (const std::exception &failure) {
		std::cerr << "crowd: " << failure.what() << '\n';
		return 1;
	}
}

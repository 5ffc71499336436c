// SPDX-License-Identifier: GPL-2.0
//
// What is deleted goes behind the request: a kernel module may still be busy with
// what a peer sent. So wait here, where a signal can end it.
#include "commands.hpp"

#include <cerrno>

#include "ccm.hpp"

namespace ccmctl {

namespace {

// Events only say when to look again. If some were lost, it looks too.
template <class F> void wait_until(Listener &listener, F is_gone)
{
	while (!is_gone())
		(void)listener.hear(std::nullopt);
}

// Or another of its number is there already.
bool is_gone(Ccm &ccm, std::uint32_t number)
{
	try {
		return !ccm.peer(number).deleting;
	} catch (const Refused &refused) {
		if (refused.error() == ENODEV)
			return true;
		throw;
	}
}

}

void delete_node()
{
	Ccm ccm;
	// It has to listen before there is anything to hear.
	Listener listener = ccm.listener();

	ccm.delete_node();
	wait_until(listener, [&] { return !ccm.node().deleting; });
}

void delete_peer(std::uint32_t number)
{
	Ccm ccm;
	Listener listener = ccm.listener();

	ccm.delete_peer(number);
	wait_until(listener, [&] { return is_gone(ccm, number); });
}

}

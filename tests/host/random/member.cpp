// SPDX-License-Identifier: GPL-2.0
#include "prover.hpp" // first: its error numbers are no macros

#include "random/member.hpp"

#include <cstdio>

namespace ccm_testing {

namespace {

constexpr ccm_limits kLimits[] = {
	{.max_size = kLargest, .window = 400000},
	{.max_size = 3000, .window = 0},
	{.max_size = 60000, .window = 200000},
};

} // namespace

Member::Member(Ledger &ledger_, net &network, u32 at_)
	: ledger(ledger_), at(at_), node(ccm_core_create(&network))
{
	if (!node || !ccm_core_get(node))
		fault("no memory at the beginning");
}

// The last reference was ours.
Member::~Member()
{
	ccm_core_put(node);
}

// --- administrators --------------------------------------------------------------

void Member::set_node()
{
	ccm_node_config config{.number = number(),
			       .cluster = "test",
			       .local = Cable::address_of(number())};

	(void)ccm_core_key_set(node, kSecret, sizeof(kSecret), nullptr);
	(void)ccm_core_node_set(node, &config, nullptr);
}

void Member::delete_node()
{
	(void)ccm_core_node_delete(node, nullptr);
}

void Member::add_peer()
{
	ccm_peer_config config{.number = other(),
			       .remote = Cable::address_of(other()),
			       .policy = {}};

	(void)ccm_core_peer_add(node, &config, nullptr);
}

void Member::delete_peer()
{
	(void)ccm_core_peer_delete(node, other(), nullptr);
}

void Member::meet(int timeout_ms)
{
	if (number() < other())
		(void)ccm_core_connect(node, other(), timeout_ms, nullptr);
	else
		(void)ccm_core_listen(node, other(), timeout_ms, nullptr);
}

void Member::close(int timeout_ms)
{
	(void)ccm_core_close(node, other(), timeout_ms, nullptr);
}

void Member::set_policy(u32 interval_ms)
{
	ccm_peer_policy policy{
		.timeout_ms = 0, .interval_ms = interval_ms, .limit = 0};

	(void)ccm_core_peer_set(node, other(), &policy, true, nullptr);
}

void Member::ping()
{
	(void)ccm_core_ping(node, other(), nullptr);
}

void Member::poke()
{
	(void)ccm_core_poke(node, other(), nullptr);
}

// All that reports show.
void Member::look()
{
	ccm_node_info info;
	ccm_peer_info peer;
	ccm_consumer_info consumer;
	ccm_handler_info handler;
	ccm_call_info call;

	ccm_core_node_info(node, &info);
	for (u32 next = 1; ccm_core_peer_info(node, next, &peer) == 0;)
		next = peer.config.number + 1;
	for (u32 next = 1; ccm_core_consumer_info(node, next, &consumer) == 0;)
		next = consumer.module + 1;
	ccm_cursor at_handler{};
	while (ccm_core_handler_info(node, &at_handler, &handler) == 0)
		;
	ccm_cursor at_call{};
	while (ccm_core_call_info(node, &at_call, &call) == 0)
		;
}

void Member::count(Calls &calls)
{
	ccm_call_info call;
	ccm_cursor at{};

	while (ccm_core_call_info(node, &at, &call) == 0) {
		if (call.what == CCM_CALL_WHAT_LONG)
			calls.on_threads++;
		if (call.what == CCM_CALL_WHAT_QUEUED)
			calls.queued++;
		if (call.what == CCM_CALL_WHAT_AWAITED)
			calls.awaited++;
	}
}

// As a fault is told.
void Member::print_calls()
{
	ccm_call_info call;
	ccm_cursor at{};

	while (ccm_core_call_info(node, &at, &call) == 0)
		std::fprintf(stderr,
			     "# a call at node %u: what %u, node %u, "
			     "function %u, for %lu ms\n",
			     number(), call.what, call.node, call.function,
			     static_cast<unsigned long>(call.age_ms));
}

ccm_peer_info Member::peer(u32 wanted)
{
	ccm_peer_info out{};

	if (ccm_core_peer_info(node, wanted, &out) ||
	    out.config.number != wanted)
		return {};
	return out;
}

// A node that is being deleted has its connections until the listener comes to it.
bool Member::is_joined()
{
	ccm_peer_info joined = peer(other());
	ccm_node_info info;

	ccm_core_node_info(node, &info);
	return joined.state == CCM_STATE_UP && !joined.deleting &&
	       info.config.number != 0 && !info.deleting;
}

// --- consumers -------------------------------------------------------------------

void Member::attach(u32 module)
{
	std::shared_lock until_it_is(ending_);

	if (!ended_)
		(void)ccm_core_attach(node, kModules[module], &kLimits[module],
				      nullptr);
}

void Member::detach(u32 module)
{
	std::shared_lock until_it_is(ending_);

	if (!ended_)
		(void)ccm_core_detach(node, kModules[module]);
}

void Member::regist(u32 function)
{
	const Offered &offered = kOffered[function];

	if (claimed_[function].exchange(true))
		return;
	(void)ccm_core_regist(node, kModules[kCallModule], function,
			      offered.kind, offered.handler, this);
	claimed_[function] = false;
}

// Nobody else registers it meanwhile, so none may run when it has returned.
int Member::unregist(u32 function)
{
	if (claimed_[function].exchange(true))
		return 1;
	int error = ccm_core_unregist(node, kModules[kCallModule], function);
	if (error == 0 && running[function])
		fault("function %u runs, and is unregistered", function);
	claimed_[function] = false;
	return error;
}

void Member::join()
{
	set_node();
	add_peer();
	for (u32 module = 0; module < std::size(kModules); module++)
		attach(module);
	for (u32 function = 0; function < kFunctions; function++)
		regist(function);
	meet(0);
}

// Nobody else detaches them meanwhile, so none of their functions may run when
// this has returned.
void Member::end_consumers()
{
	{
		std::unique_lock nobody_attaches(ending_);

		ended_ = true;
	}
	for (u32 module = 0; module < std::size(kModules); module++)
		(void)ccm_core_detach(node, kModules[module]);
	for (u32 function = 0; function < kFunctions; function++)
		if (running[function])
			fault("function %u runs, and its number is detached",
			      function);
}

void Member::destroy()
{
	ccm_core_destroy(node);
}

} // namespace ccm_testing

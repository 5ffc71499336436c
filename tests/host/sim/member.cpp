// SPDX-License-Identifier: GPL-2.0
#include "prover.hpp" // first: its error numbers are no macros

#include "sim/member.hpp"
#include "sim/network.hpp"
#include "test.hpp"

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
	: ledger(ledger_), at(at_), network_(network)
{
	make_node();
	if (!node())
		fault("no memory at the beginning");
}

// The last references were ours.
Member::~Member()
{
	for (ccm_node *each : nodes_)
		ccm_core_put(each);
}

void Member::make_node()
{
	ccm_node *made = ccm_core_create(&network_);

	if (!made)
		return;
	(void)ccm_core_get(made);
	nodes_.push_back(made);
	node_.store(made, std::memory_order_release);
}

// --- administrators --------------------------------------------------------------

class Member::Revoking {
public:
	explicit Revoking(Wish &wish) : wish_(wish)
	{
		wish_.begun++;
	}
	~Revoking()
	{
		wish_.ended++;
	}
	Revoking(const Revoking &) = delete;
	Revoking &operator=(const Revoking &) = delete;

private:
	Wish &wish_;
};

void Member::set_node()
{
	ccm_node_config config{.number = number(),
			       .cluster = "test",
			       .local = ccm_sim::Network::address_of(number())};

	(void)ccm_core_key_set(node(), kSecret, sizeof(kSecret), nullptr);
	(void)ccm_core_node_set(node(), &config, nullptr);
}

void Member::delete_node()
{
	for (Wish &wish : wishes_)
		wish.begun++;
	(void)ccm_core_node_delete(node(), nullptr);
	for (Wish &wish : wishes_)
		wish.ended++;
}

void Member::add_peer(u32 peer)
{
	ccm_peer_config config{.number = peer,
			       .remote = ccm_sim::Network::address_of(peer),
			       .policy = {}};

	(void)ccm_core_peer_add(node(), &config, nullptr);
}

void Member::delete_peer(u32 peer)
{
	Revoking revoking(wishes_[peer - 1]);

	(void)ccm_core_peer_delete(node(), peer, nullptr);
}

void Member::meet(u32 peer, int timeout_ms)
{
	if (number() < peer)
		(void)ccm_core_connect(node(), peer, timeout_ms, nullptr);
	else
		listen(peer, timeout_ms);
}

void Member::listen(u32 peer, int timeout_ms)
{
	Wish &wish = wishes_[peer - 1];
	u32 before = wish.begun;
	bool quiet = wish.ended == before;

	int error = ccm_core_listen(node(), peer, 0, nullptr);
	if (!error && quiet && wish.begun == before)
		wish.since = before;
	if (!error && timeout_ms)
		(void)ccm_core_listen(node(), peer, timeout_ms, nullptr);
}

void Member::see_that_it_listens(u32 peer)
{
	Wish &wish = wishes_[peer - 1];
	u32 since = wish.since;

	if (since != wish.begun)
		return;
	bool listening = this->peer(peer).listening;
	if (!listening && since == wish.begun)
		fault("node %u: nobody has revoked that node %u may connect, "
		      "and it may not",
		      number(), peer);
}

void Member::close(u32 peer, int timeout_ms)
{
	Revoking revoking(wishes_[peer - 1]);

	(void)ccm_core_close(node(), peer, timeout_ms, nullptr);
}

void Member::set_policy(u32 peer, u32 interval_ms)
{
	ccm_peer_policy policy{
		.timeout_ms = 0, .interval_ms = interval_ms, .limit = 0};

	(void)ccm_core_peer_set(node(), peer, &policy, true, nullptr);
}

void Member::ping(u32 peer)
{
	(void)ccm_core_ping(node(), peer, nullptr);
}

void Member::poke(u32 peer)
{
	(void)ccm_core_poke(node(), peer, nullptr);
}

// All that reports show.
void Member::look()
{
	ccm_node_info info;
	ccm_peer_info peer;
	ccm_consumer_info consumer;
	ccm_handler_info handler;
	ccm_call_info call;

	ccm_core_node_info(node(), &info);
	for (u32 next = 1; ccm_core_peer_info(node(), next, &peer) == 0;)
		next = peer.config.number + 1;
	for (u32 next = 1;
	     ccm_core_consumer_info(node(), next, &consumer) == 0;)
		next = consumer.module + 1;
	ccm_cursor at_handler{};
	while (ccm_core_handler_info(node(), &at_handler, &handler) == 0)
		;
	ccm_cursor at_call{};
	while (ccm_core_call_info(node(), &at_call, &call) == 0)
		;
}

void Member::count(Calls &calls)
{
	ccm_call_info call;
	ccm_cursor at{};

	while (ccm_core_call_info(node(), &at, &call) == 0) {
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

	while (ccm_core_call_info(node(), &at, &call) == 0)
		std::fprintf(stderr,
			     "# a call at node %u: what %u, node %u, "
			     "function %u, for %lu ms\n",
			     number(), call.what, call.node, call.function,
			     static_cast<unsigned long>(call.age_ms));
}

ccm_peer_info Member::peer(u32 wanted)
{
	ccm_peer_info out{};

	if (ccm_core_peer_info(node(), wanted, &out) ||
	    out.config.number != wanted)
		return {};
	return out;
}

// A node that is being deleted has its connections until the listener comes to it.
bool Member::is_joined()
{
	ccm_node_info info;

	ccm_core_node_info(node(), &info);
	if (info.config.number == 0 || info.deleting)
		return false;
	for (u32 number = 1; number <= ledger.nodes; number++) {
		ccm_peer_info joined = peer(number);

		if (joined.state != CCM_STATE_UP || joined.deleting)
			return false;
	}
	return true;
}

// --- consumers -------------------------------------------------------------------

bool Member::enter()
{
	attaching_++;
	if (!ended_)
		return true;
	leave();
	return false;
}

void Member::leave()
{
	attaching_--;
}

void Member::attach(u32 module)
{
	if (!enter())
		return;
	(void)ccm_core_attach(node(), kModules[module], &kLimits[module],
			      nullptr);
	leave();
}

void Member::attach_all()
{
	for (u32 module = 0; module < std::size(kModules); module++)
		attach(module);
}

void Member::detach(u32 module)
{
	if (!enter())
		return;
	(void)ccm_core_detach(node(), kModules[module]);
	leave();
}

void Member::regist(u32 function)
{
	const Offered &offered = kOffered[function];

	if (claimed_[function].exchange(true))
		return;
	(void)ccm_core_regist(node(), kModules[kCallModule], function,
			      offered.kind, offered.handler, this);
	claimed_[function] = false;
}

// Nobody else registers it meanwhile, so none may run when it has returned.
int Member::unregist(u32 function)
{
	if (claimed_[function].exchange(true))
		return 1;
	int error = ccm_core_unregist(node(), kModules[kCallModule], function);
	if (error == 0 && running[function])
		fault("function %u runs, and is unregistered", function);
	claimed_[function] = false;
	return error;
}

void Member::join()
{
	set_node();
	for (u32 peer = 1; peer <= ledger.nodes; peer++)
		if (peer != number())
			add_peer(peer);
	attach_all();
	for (u32 function = 0; function < kFunctions; function++)
		regist(function);
	for (u32 peer = 1; peer <= ledger.nodes; peer++)
		if (peer != number())
			meet(peer, 0);
}

// Nobody else detaches them meanwhile, so none of their functions may run when
// this has returned.
void Member::end_consumers()
{
	ended_ = true;
	while (attaching_)
		ccm_test_sleep(1);
	for (u32 module = 0; module < std::size(kModules); module++)
		(void)ccm_core_detach(node(), kModules[module]);
	for (u32 function = 0; function < kFunctions; function++)
		if (running[function])
			fault("function %u runs, and its number is detached",
			      function);
}

void Member::destroy()
{
	ccm_core_destroy(node());
}

void Member::begin_again()
{
	ccm_node *old = node();

	for (Wish &wish : wishes_)
		wish.begun++;
	destroy();
	while (node() == old)
		make_node();
	for (Wish &wish : wishes_)
		wish.ended++;
}

} // namespace ccm_testing

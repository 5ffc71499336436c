// SPDX-License-Identifier: GPL-2.0
#include "random/round.hpp"

#include "host.hpp"
#include "random/call.hpp"
#include "test.hpp"

#include <cerrno>
#include <cstdio>

extern "C" {
#include "kernel/memory.h"
}

namespace ccm_testing {

namespace {

constexpr u32 kDisturbMs = 1000;
constexpr u32 kStepMs = 2;
// Less than the five seconds for which a thread of the pool is idle.
constexpr u32 kIdleMs = 2000;
constexpr u32 kSoonSeconds = 15;
constexpr int kSoonMs = kSoonSeconds * 1000;

} // namespace

Round::Round(u64 seed)
	: random_(seed), seed_(seed), plan_(seed), doing_("the round", 0),
	  memory_(ccm_memory_count()), ledger_(std::make_unique<Ledger>()),
	  cable_(std::make_unique<Cable>(networks_[0], networks_[1], seed))
{
	for (u32 at = 0; at < kNodes; at++)
		members_.emplace_back(*ledger_, networks_[at], at);
}

Round::~Round()
{
	cable_.reset();
}

// As a fault is told.
void Round::print_peers()
{
	for (Member &member : members_) {
		ccm_peer_info peer = member.peer(member.other());

		std::fprintf(stderr,
			     "# peer %u of node %u: state %u, reason %u, "
			     "error %d, queued: %lu in, %lu out\n",
			     member.other(), member.number(), peer.state,
			     peer.reason, peer.error,
			     static_cast<unsigned long>(peer.queued_in),
			     static_cast<unsigned long>(peer.queued_out));
		member.print_calls();
	}
}

template <class F> void Round::await(const char *what, u32 seconds, F is_so)
{
	u64 until = ccm_now_ms() + u64{seconds} * 1000;

	doing_.set(what);
	while (!is_so()) {
		if (ccm_now_ms() >= until) {
			print_peers();
			fault("waited in vain: %s", what);
		}
		ccm_test_sleep(kStepMs);
	}
}

void Round::run()
{
	disturb();
	if (random_.below(4)) {
		calm_down();
		see_that_all_works();
		end_consumers();
		see_that_nothing_is_held();
		destroy_nodes();
	} else {
		end_in_use();
	}
	host::rest_by_chance(0);
	ledger_->calls.check();
	members_.clear();
	if (long left = ccm_memory_count() - memory_)
		fault("%ld objects are left", left);
}

// --- at random -------------------------------------------------------------------

void Round::disturb()
{
	doing_.set("lets the threads work");
	for (Member &member : members_)
		member.join();
	host::rest_by_chance(seed_);
	for (Member &member : members_)
		for (u32 thread = 0; thread < kWorkers; thread++)
			workers_.emplace_back(member, *cable_, plan_, thread,
					      seed_ * 100 + workers_.size());
	// Not before all are there: memory fails from now on.
	for (Worker &worker : workers_)
		worker.begin();
	ccm_test_sleep(kDisturbMs);
}

// A large message to a number that nobody has attached waits for somebody to do so.
void Round::attach_all()
{
	for (Member &member : members_)
		for (u32 module = 0; module < std::size(kModules); module++)
			member.attach(module);
}

// Those who wait are asked to stop, or come to an end by themselves.
void Round::stop_workers(bool in_the_middle)
{
	for (Worker &worker : workers_)
		worker.enough();
	if (!in_the_middle)
		await("for the threads to end", kSoonSeconds, [this] {
			attach_all();
			for (const Worker &worker : workers_)
				if (!worker.ended())
					return false;
			return true;
		});
	doing_.set("stops the threads");
	workers_.clear();
	ccm_memory_fail(0);
}

// A namespace ends while threads use the node still.
void Round::end_in_use()
{
	end_consumers();
	destroy_nodes();
	stop_workers(true);
}

// --- and then --------------------------------------------------------------------

void Round::calm_down()
{
	stop_workers(random_.below(2));
	for (Member &member : members_)
		member.quiet = true;
	cable_->calm();
	end_calls();
}

// All calls end, and none waits for a thread while none is busy.
void Round::end_calls()
{
	u64 busy_ms = ccm_now_ms();

	await("for calls to end", kSoonSeconds, [&] {
		Member::Calls calls;

		for (Member &member : members_)
			member.count(calls);
		if (calls.on_threads || !calls.queued)
			busy_ms = ccm_now_ms();
		if (ccm_now_ms() - busy_ms > kIdleMs)
			fault("a call waits for a thread, and none is busy");
		return !calls.on_threads && !calls.queued && !calls.awaited;
	});
}

// Nothing can be set before what a thread has begun to delete is gone.
void Round::join()
{
	await("for the nodes to be joined", kSoonSeconds, [this] {
		u32 up = 0;

		for (Member &member : members_) {
			member.join();
			member.set_policy(0);
			if (member.is_joined())
				up++;
		}
		return up == kNodes;
	});
}

// Whatever there was, or is still being done, the nodes are as good as new.
void Round::see_that_all_works()
{
	if (random_.below(4) == 0)
		members_[random_.below(kNodes)].delete_node();
	join();
	drain();
	for (u32 source = 0; source < kNodes; source++)
		for (u32 target = 0; target < kNodes; target++)
			exchange(source, target);
}

void Round::exchange(u32 source, u32 target)
{
	constexpr u32 kType = 1000;
	u8 sent = static_cast<u8>(random_.below(256));
	u8 got = static_cast<u8>(~sent);
	ccm_msg out{.node = target + 1,
		    .module = kModules[0],
		    .type = kType,
		    .seqn = 0,
		    .size = 1,
		    .data = &sent};
	ccm_msg in{.node = source + 1,
		   .module = kModules[0],
		   .type = kType,
		   .seqn = 0,
		   .size = 1,
		   .data = &got};

	doing_.set("exchanges messages");
	int error = ccm_core_send(members_[source].node, &out, 0, kSoonMs);
	if (error) {
		ccm_peer_info peer = members_[source].peer(target + 1);

		fault("in quiet, a message from %u to %u: %d (state %u, "
		      "reason %u, error %d)",
		      source + 1, target + 1, error, peer.state, peer.reason,
		      peer.error);
	}
	error = ccm_core_receive(members_[target].node, &in, 0, kSoonMs);
	if (error != 1 || got != sent)
		fault("in quiet, a message at %u from %u: %d", target + 1,
		      source + 1, error);
	doing_.set("exchanges calls");
	for (u32 function = 0; function < kFunctions; function++)
		call_in_quiet(members_[source], target, function, random_,
			      kSoonMs);
}

// All that is queued.
void Round::drain()
{
	doing_.set("drains the queues");
	for (Member &member : members_)
		for (u32 module = 0; module < kMessageModules; module++)
			for (u32 source = 0; source < kNodes; source++)
				for (u32 thread = 0; thread < kWorkers;
				     thread++)
					receive_all(member, source, thread,
						    module);
}

void Round::end_consumers()
{
	doing_.set("ends the consumers");
	for (Member &member : members_)
		member.end_consumers();
}

// What was charged has been given back, and nobody broke the protocol.
void Round::see_that_nothing_is_held()
{
	await("for all to be given back", kSoonSeconds, [this] {
		for (Member &member : members_)
			for (u32 number = 1; number <= kNodes; number++) {
				ccm_peer_info peer = member.peer(number);

				if (peer.queued_in || peer.queued_out)
					return false;
			}
		return true;
	});
	for (Member &member : members_)
		if (member.peer(member.other()).stats.garbage)
			fault("node %u heard what breaks the protocol",
			      member.number());
}

void Round::destroy_nodes()
{
	u32 first = random_.below(kNodes);

	doing_.set("ends the nodes");
	members_[first].destroy();
	members_[1 - first].destroy();
}

} // namespace ccm_testing

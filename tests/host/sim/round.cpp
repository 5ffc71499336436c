// SPDX-License-Identifier: GPL-2.0
#include "sim/round.hpp"

#include "host.hpp"
#include "sim/call.hpp"
#include "test.hpp"

#include <cerrno>
#include <cstdio>

extern "C" {
#include "kernel/memory.h"
}

namespace ccm_testing {

namespace {

constexpr u32 kStepMs = 5;
// Less than the five seconds for which a thread of the pool is idle.
constexpr u32 kIdleMs = 500;
constexpr u32 kSoonSeconds = 30;
constexpr int kSoonMs = kSoonSeconds * 1000;

} // namespace

Round::Outcome Round::run(u64 seed)
{
	ccm_sim::World world(seed);
	Outcome outcome;
	long before = ccm_memory_count();
	{
		Round round(world, seed);

		world.run(main, &round);
		outcome.messages = round.ledger_->count_messages();
		outcome.calls = round.ledger_->calls.count();
	}
	if (long left = ccm_memory_count() - before)
		fault("%ld objects are left", left);
	outcome.trace = world.trace();
	outcome.steps = world.all_steps();
	outcome.ms = (world.now_us() - ccm_sim::kBegin) / 1000;
	return outcome;
}

Round::Round(ccm_sim::World &world, u64 seed)
	: world_(world), random_(seed), seed_(seed), plan_(seed),
	  doing_("the round", 0),
	  ledger_(std::make_unique<Ledger>(plan_.members)), network_(world)
{
}

void Round::main(void *round)
{
	static_cast<Round *>(round)->run();
}

static void print(u32 node, const ccm_peer_info &peer)
{
	std::fprintf(stderr,
		     "# peer %u of node %u: state %u, reason %u, error %d, "
		     "listening %d, queued: %lu in, %lu out\n",
		     peer.config.number, node, peer.state, peer.reason,
		     peer.error, peer.listening,
		     static_cast<unsigned long>(peer.queued_in),
		     static_cast<unsigned long>(peer.queued_out));
}

// As a fault is told.
void Round::print_peers()
{
	for (Member &member : members_) {
		for (u32 number = 1; number <= plan_.members; number++)
			print(member.number(), member.peer(number));
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
		see_that_all_is_counted();
		see_that_all_works();
		end_consumers();
		see_that_nothing_is_held();
		destroy_nodes();
	} else {
		end_in_use();
	}
	ledger_->calls.check();
	members_.clear();
	network_.stop();
}

// --- at random -------------------------------------------------------------------

void Round::disturb()
{
	doing_.set("lets the threads work");
	for (u32 at = 0; at < plan_.members; at++)
		members_.emplace_back(*ledger_, network_.add_host(), at);
	for (Member &member : members_)
		member.join();
	for (Member &member : members_)
		for (u32 thread = 0; thread < plan_.workers; thread++)
			workers_.emplace_back(member, plan_, thread,
					      seed_ * 100 + workers_.size());
	weather_ =
		std::make_unique<Weather>(network_, members_, workers_, plan_);
	// Not before all are there: memory fails from now on.
	for (Worker &worker : workers_)
		worker.begin();
	for (u32 ms = 0; ms < plan_.disturb_ms; ms += kStepMs) {
		ccm_test_sleep(kStepMs);
		watch();
	}
	doing_.set("waits for the weather");
	weather_.reset();
}

// What has to be so at any time.
void Round::watch()
{
	for (Member &member : members_) {
		Member::Calls calls;

		member.count(calls);
		u32 &waits = waits_[member.at];
		waits = calls.on_threads || !calls.queued ? 0 : waits + 1;
		if (waits > kIdleMs / kStepMs)
			fault("a call at node %u waits for a thread, and none "
			      "is busy",
			      member.number());
		for (u32 peer = 1; peer <= plan_.members; peer++)
			member.see_that_it_listens(peer);
	}
}

// Those who wait are asked to stop, or come to an end by themselves: also who waits
// for room at a number that nobody has had.
void Round::stop_workers(bool in_the_middle)
{
	for (Worker &worker : workers_)
		worker.enough();
	if (!in_the_middle)
		await("for the threads to end", kSoonSeconds, [this] {
			watch();
			for (Member &member : members_)
				member.attach_all();
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
	network_.calm();
	world_.let_memory_be_short(0);
	end_calls();
}

// All calls end, and none waits for a thread while none is busy.
void Round::end_calls()
{
	await("for calls to end", kSoonSeconds, [&] {
		Member::Calls calls;

		watch();
		for (Member &member : members_)
			member.count(calls);
		return !calls.on_threads && !calls.queued && !calls.awaited;
	});
}

// Nothing can be set before what a thread has begun to delete is gone.
void Round::join()
{
	await("for the nodes to be joined", kSoonSeconds, [this] {
		bool up = true;

		for (Member &member : members_) {
			member.join();
			for (u32 peer = 1; peer <= plan_.members; peer++)
				member.set_policy(peer, 0);
			up &= member.is_joined();
		}
		return up;
	});
}

// What was accepted has arrived, or was counted when it was lost.
bool Round::is_counted(Member &source, Member &target)
{
	ccm_peer_stats in = target.peer(source.number()).stats;
	ccm_peer_stats out = source.peer(target.number()).stats; // later

	if (in.messages_in > out.messages_out)
		fault("node %u has %lu messages of node %u, which has accepted "
		      "%lu",
		      target.number(),
		      static_cast<unsigned long>(in.messages_in),
		      source.number(),
		      static_cast<unsigned long>(out.messages_out));
	return out.messages_out <= in.messages_in + out.unsent + out.unknown;
}

// A peer that is added again counts from nothing.
void Round::see_that_all_is_counted()
{
	if (plan_.nodes || plan_.peers || plan_.losses)
		return;
	await("for what was accepted to arrive or be counted", kSoonSeconds,
	      [this] {
		      bool all = true;

		      for (Member &source : members_)
			      for (Member &target : members_)
				      all &= is_counted(source, target);
		      return all;
	      });
}

// Whatever there was, or is still being done, the nodes are as good as new.
void Round::see_that_all_works()
{
	if (random_.below(4) == 0)
		members_[random_.below(plan_.members)].delete_node();
	join();
	drain();
	for (u32 source = 0; source < plan_.members; source++)
		for (u32 target = 0; target < plan_.members; target++)
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
	int error = ccm_core_send(members_[source].node(), &out, 0, kSoonMs);
	if (error) {
		ccm_peer_info peer = members_[source].peer(target + 1);

		fault("in quiet, a message from %u to %u: %d (state %u, "
		      "reason %u, error %d)",
		      source + 1, target + 1, error, peer.state, peer.reason,
		      peer.error);
	}
	error = ccm_core_receive(members_[target].node(), &in, 0, kSoonMs);
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
			for (u32 source = 0; source < plan_.members; source++)
				for (u32 thread = 0; thread < plan_.workers;
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
			for (u32 number = 1; number <= plan_.members;
			     number++) {
				ccm_peer_info peer = member.peer(number);

				if (peer.queued_in || peer.queued_out)
					return false;
			}
		return true;
	});
	for (Member &member : members_)
		for (u32 number = 1; number <= plan_.members; number++)
			if (member.peer(number).stats.garbage)
				fault("node %u heard what breaks the protocol",
				      member.number());
}

void Round::destroy_nodes()
{
	u32 first = random_.below(plan_.members);

	doing_.set("ends the nodes");
	for (u32 at = 0; at < plan_.members; at++)
		members_[(first + at) % plan_.members].destroy();
}

} // namespace ccm_testing

// SPDX-License-Identifier: GPL-2.0
#include "sim/worker.hpp"

#include "host.hpp"
#include "sim/call.hpp"
#include "test.hpp"

#include <cstring>

extern "C" {
#include "kernel/memory.h"
}

namespace ccm_testing {

// Most runs leave something out, so that the rest happens more often.
Plan::Plan(u64 seed)
{
	Random random(seed);

	members = 1 + random.below(kNodesMax);
	workers = 1 + random.below(kWorkersMax);
	disturb_ms = 20 + random.below(200);
	for (bool Plan::*each :
	     {&Plan::nodes, &Plan::peers, &Plan::closes, &Plan::cuts,
	      &Plan::silences, &Plan::losses, &Plan::detaches,
	      &Plan::heartbeats, &Plan::memory, &Plan::signals})
		this->*each = random.below(3) == 0;
}

const Worker::Operation Worker::kOperations[] = {
	{60, "sends", &Worker::send, nullptr},
	{70, "receives", &Worker::receive, nullptr},
	{6, "cancels", &Worker::cancel, nullptr},
	{20, "calls and waits", &Worker::call, nullptr},
	{20, "calls and does not wait", &Worker::call_later, nullptr},
	{20, "calls a short handler", &Worker::call_short, nullptr},
	{10, "calls a long handler", &Worker::call_long, nullptr},
	{6, "joins", &Worker::join, nullptr},
	{4, "meets", &Worker::meet, nullptr},
	{4, "registers", &Worker::regist, nullptr},
	{2, "unregisters", &Worker::unregist, &Plan::detaches},
	{4, "attaches", &Worker::attach, nullptr},
	{3, "detaches", &Worker::detach, &Plan::detaches},
	{4, "closes", &Worker::close, &Plan::closes},
	{6, "deletes and adds a peer", &Worker::change_peer, &Plan::peers},
	{6, "deletes and sets a node", &Worker::change_node, &Plan::nodes},
	{2, "sets a heartbeat", &Worker::set_heartbeat, &Plan::heartbeats},
	{2, "pings and pokes", &Worker::ask, nullptr},
	{6, "lets memory fail", &Worker::fail_memory, &Plan::memory},
	{10, "renames", &Worker::rename, nullptr},
	{2, "looks", &Worker::look, nullptr},
};

Worker::Worker(Member &me, const Plan &plan, u32 thread, u64 seed)
	: me_(me), plan_(plan), index_(thread), random_(seed),
	  doing_("a thread", me.number()),
	  thread_(ccm_thread_start(thread_main, this, "random", thread))
{
	if (!thread_)
		fault("no thread at the beginning");
}

// If it has not ended, this ends its wait.
Worker::~Worker()
{
	enough_ = true;
	ccm_thread_stop(thread_);
}

int Worker::thread_main(void *worker)
{
	static_cast<Worker *>(worker)->work();
	return 0;
}

void Worker::work()
{
	while (!begun_ && !enough_)
		ccm_test_sleep(1);
	while (!enough_) {
		step();
		if (chance(4))
			ccm_test_sleep(random_.below(10));
	}
	doing_.set("nothing any more");
	ended_ = true;
}

void Worker::step()
{
	u32 sum = 0;

	for (const Operation &each : kOperations)
		sum += each.weight;
	u32 at = random_.below(sum);
	const Operation *chosen = kOperations;
	while (at >= chosen->weight)
		at -= chosen++->weight;
	if (chosen->allowed && !(plan_.*chosen->allowed))
		return;
	doing_.set(chosen->name);
	(this->*chosen->run)();
}

// --- administrators --------------------------------------------------------------

void Worker::join()
{
	me_.join();
}

u32 Worker::any_peer()
{
	u32 peer = 1 + random_.below(plan_.members);

	if (peer != me_.number())
		return peer;
	return plan_.members == 1 ? 0 : 1 + peer % plan_.members;
}

void Worker::meet()
{
	if (u32 peer = any_peer())
		me_.meet(peer, static_cast<int>(random_.below(100)));
}

void Worker::close()
{
	if (u32 peer = any_peer())
		me_.close(peer, static_cast<int>(random_.below(100)));
}

void Worker::change_peer()
{
	u32 peer = any_peer();

	if (!peer)
		return;
	me_.delete_peer(peer);
	if (chance(4))
		ccm_test_sleep(random_.below(10));
	me_.add_peer(peer);
	me_.meet(peer, 0);
}

void Worker::change_node()
{
	me_.delete_node();
	if (chance(4))
		ccm_test_sleep(random_.below(10));
	me_.join();
}

void Worker::set_heartbeat()
{
	if (u32 peer = any_peer())
		me_.set_policy(peer, chance(2) ? 0
					       : CCM_INTERVAL_MIN +
							 random_.below(400));
}

void Worker::ask()
{
	u32 peer = any_peer();

	if (!peer)
		return;
	me_.ping(peer);
	me_.poke(peer);
}

void Worker::fail_memory()
{
	ccm_memory_fail(static_cast<int>(1 + random_.below(30)));
}

void Worker::look()
{
	me_.look();
	if (u32 peer = any_peer())
		me_.see_that_it_listens(peer);
}

// As long as nobody but this program reads it under the thread sanitizer, it is
// left as it is.
void Worker::rename()
{
#ifndef __SANITIZE_THREAD__
	size_t length = random_.below(sizeof(me_.name));

	std::memset(me_.name, 'x', length);
	me_.name[length] = 0;
#endif
}

// --- consumers -------------------------------------------------------------------

void Worker::attach()
{
	me_.attach(random_.below(std::size(kModules)));
}

void Worker::detach()
{
	me_.detach(random_.below(std::size(kModules)));
}

void Worker::regist()
{
	me_.regist(random_.below(kFunctions));
}

void Worker::unregist()
{
	(void)me_.unregist(random_.below(kFunctions));
}

// --- calls -----------------------------------------------------------------------

// For ever too: whatever happens, such a call ends.
void Worker::call()
{
	call_and_wait(me_, any_node(), random_.below(kFunctions), random_,
		      chance(3) ? CCM_FOREVER
				: static_cast<int>(random_.below(100)));
}

void Worker::call_later()
{
	call_async(me_, any_node(), random_.below(kFunctions), random_,
		   chance(3) ? CCM_FOREVER
			     : static_cast<int>(random_.below(60)),
		   chance(3));
}

void Worker::call_short()
{
	u32 target = any_node();
	u32 number = ++short_calls_[target];

	if (call_one_way(me_, target, kShort, random_, false, chance(3), index_,
			 number))
		short_accepted_[target] = number;
}

void Worker::call_long()
{
	(void)call_one_way(me_, any_node(), random_.below(kFunctions), random_,
			   true, chance(3), 0, 0);
}

} // namespace ccm_testing

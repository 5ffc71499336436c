// SPDX-License-Identifier: GPL-2.0
#include "core/pool.hpp"

#include "core/node.hpp"

namespace ccm {

Pool::~Pool()
{
	reap();
}

Status Pool::run(Message *call)
{
	Guard guard(lock_);

	if (stopping_)
		return fail(ESHUTDOWN);
	if (give_to_idle_locked(call))
		return {};
	queue_locked(call);
	if (wants_thread_locked())
		making_.start();
	return {};
}

bool Pool::give_to_idle_locked(Message *call)
{
	Worker *worker = idle_.pop_front();

	if (!worker)
		return false;
	worker->next = call;
	worker->sleepers.wake();
	return true;
}

void Pool::queue_locked(Message *call)
{
	call->turn = ++last_turn_;
	calls_.add(call);
	waiting_++;
}

void Pool::take_all_locked(Tree<Message> &calls)
{
	calls.take(calls_);
	waiting_ = 0;
}

// --- making threads ----------------------------------------------------------------

// A fresh one will take one of those that wait.
bool Pool::wants_thread_locked() const
{
	return !stopping_ && waiting_ > fresh_ && count_ < kWorkersMax;
}

void Pool::make_threads(void *argument)
{
	Pool &pool = *static_cast<Pool *>(argument);

	pool.reap();
	while (pool.begin_making()) {
		if (!pool.make_thread()) {
			pool.give_up_making();
			return;
		}
	}
}

bool Pool::begin_making()
{
	Guard guard(lock_);

	if (!wants_thread_locked())
		return false;
	count_++;
	fresh_++;
	return true;
}

bool Pool::make_thread()
{
	Worker *worker = create<Worker>(MaySleep::Yes, *this);

	if (!worker)
		return false;
	{
		Guard guard(lock_);

		workers_.push_back(worker);
	}
	worker->thread = ccm_thread_start(thread_main, worker, "ccm-call",
					  node_.number());
	if (worker->thread)
		return true;
	{
		Guard guard(lock_);

		workers_.remove(worker);
	}
	destroy(worker);
	return false;
}

// What waits is left to the other threads, if there are any.
void Pool::give_up_making()
{
	Tree<Message> left;
	{
		Guard guard(lock_);

		fresh_--;
		if (--count_ == 0)
			take_all_locked(left);
	}
	while (Message *call = left.pop_front())
		node_.no_thread_for(call);
}

// --- the threads -------------------------------------------------------------------

int Pool::thread_main(void *argument)
{
	Worker &worker = *static_cast<Worker *>(argument);

	worker.pool.work(worker);
	return 0;
}

void Pool::work(Worker &worker)
{
	while (Message *call = next_call(worker))
		node_.run_call(call, true);
}

// nullptr when the thread is to end. Then the worker is another's to destroy.
Message *Pool::next_call(Worker &worker)
{
	{
		Guard guard(lock_);

		if (worker.fresh)
			fresh_--;
		worker.fresh = false;
		if (Message *next = take_locked(worker))
			return next;
		if (!stopping_)
			idle_.push_front(&worker);
	}
	(void)worker.sleepers.wait_idle(
		[&] {
			Guard guard(lock_);
			return worker.next || stopping_;
		},
		kWorkerIdleMs);

	Guard guard(lock_);
	if (static_cast<Hook<Idle> &>(worker).linked())
		idle_.remove(&worker);
	if (Message *next = take_locked(worker))
		return next;
	count_--;
	workers_.remove(&worker);
	ended_.push_back(&worker);
	return nullptr;
}

Message *Pool::take_locked(Worker &worker)
{
	Message *next = worker.next;

	worker.next = nullptr;
	if (next || stopping_)
		return next;
	next = calls_.pop_front();
	if (next)
		waiting_--;
	return next;
}

// Threads that have ended, or are about to.
void Pool::reap()
{
	for (;;) {
		Worker *ended;
		{
			Guard guard(lock_);

			ended = ended_.pop_front();
		}
		if (!ended)
			return;
		join(*ended);
	}
}

void Pool::join(Worker &worker)
{
	ccm_thread_stop(worker.thread);
	destroy(&worker);
}

void Pool::stop(List<Message> &dropped)
{
	Tree<Message> waiting;
	{
		Guard guard(lock_);

		stopping_ = true;
		take_all_locked(waiting);
		for (Worker *w = workers_.front(); w; w = workers_.next(w))
			w->sleepers.wake();
	}
	making_.wait();
	while (Message *call = waiting.pop_front())
		dropped.push_back(call);
	for (;;) {
		Worker *worker;
		{
			Guard guard(lock_);

			worker = workers_.front();
		}
		if (!worker)
			break;
		// What waits inside CCM ends; the rest is the handler's.
		ccm_thread_interrupt(worker->thread);
		ccm_thread_stop(worker->thread);
		{
			Guard guard(lock_);

			// It may never have run.
			if (worker->next)
				dropped.push_back(worker->next);
			if (static_cast<Hook<Idle> &>(*worker).linked())
				idle_.remove(worker);
			worker->Hook<Worker>::unlink();
		}
		destroy(worker);
	}
	reap();
}

bool Pool::report(ccm_cursor &at, ccm_call_info &out)
{
	Guard guard(lock_);

	if (at.number == 0)
		at.last = last_turn_;
	Message *m = calls_.from(at.number);

	if (!m || m->turn > at.last)
		return false;
	at.number = m->turn + 1;
	out = describe(*m, CCM_CALL_WHAT_QUEUED);
	return true;
}

} // namespace ccm

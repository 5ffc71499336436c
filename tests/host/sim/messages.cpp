// SPDX-License-Identifier: GPL-2.0
// A worker's messages: what it sends says which of its short calls went before.
#include "buffer.hpp"
#include "host.hpp"
#include "sim/worker.hpp"

#include <cerrno>
#include <cstring>
#include <optional>

namespace ccm_testing {

namespace {

constexpr size_t kAtomicMax = 60000;
constexpr size_t kMostly = 5000; // bytes of a message at most

u32 type_of(u32 source, u32 thread)
{
	return source * 16 + thread;
}

u32 seed_of(u32 type, u32 number)
{
	return type * 7919 + number;
}

bool may_fail_to_send(int error)
{
	switch (-error) {
	case EAGAIN:
	case ETIMEDOUT:
	case EHOSTDOWN:
	case ENODEV:
	case ENOTCONN:
	case ENOMEM:
	case EMSGSIZE:
	case EINTR:
	case 512: // ERESTARTSYS: a signal
	case ESHUTDOWN:
		return true;
	default:
		return false;
	}
}

bool may_fail_to_receive(int error)
{
	switch (-error) {
	case ENOENT:
	case ECANCELED:
		return true;
	default:
		return may_fail_to_send(error);
	}
}

} // namespace

// --- sending ---------------------------------------------------------------------

int Worker::send(u32 target, u32 module, size_t size, bool nowait)
{
	Flow &flow = me_.ledger.flows[me_.at][index_][target][module];
	u32 number = flow.begin();
	std::vector<u8> bytes(size);
	ccm_msg msg{.node = target + 1,
		    .module = kModules[module],
		    .type = type_of(me_.at, index_),
		    .seqn = number,
		    .size = size,
		    .data = bytes.data()};
	int timeout_ms = chance(3) ? 0 : static_cast<int>(random_.below(100));
	std::optional<host::NoSleep> as_in_an_interrupt;

	if (!number)
		return -ENOBUFS;
	for (size_t i = 0; i < size; i++)
		bytes[i] = pattern(seed_of(msg.type, number), i);
	if (size >= sizeof(u32))
		std::memcpy(bytes.data(), &short_accepted_[target],
			    sizeof(u32));
	if (nowait)
		as_in_an_interrupt.emplace();
	int error = ccm_core_send(me_.node(), &msg, nowait ? CCM_NOWAIT : 0,
				  timeout_ms);
	if (!error)
		return 0;
	if (!may_fail_to_send(error))
		fault("sending %zu bytes to node %u is %d", size, target + 1,
		      error);
	flow.refused(number);
	return error;
}

void Worker::send()
{
	bool nowait = chance(4);
	u32 how = random_.below(20);
	size_t size = how < 2	 ? 0
		      : how < 14 ? random_.below(300)
		      : how < 19 ? random_.below(kMostly)
				 : random_.below(kLargest + 100);

	if (nowait && size > kAtomicMax)
		size = kAtomicMax;
	(void)send(any_node(), random_.below(kMessageModules), size, nowait);
}

// --- receiving -------------------------------------------------------------------

static void check(Member &me, const ccm_msg &msg, u32 source, u32 thread)
{
	auto *bytes = static_cast<const u8 *>(msg.data);
	u32 passed = 0;
	size_t from = msg.size >= sizeof(passed) ? sizeof(passed) : 0;

	if (msg.node != source + 1)
		fault("a message of node %u says it is of node %u", source + 1,
		      msg.node);
	for (size_t i = from; i < msg.size; i++)
		if (bytes[i] != pattern(seed_of(msg.type, msg.seqn), i))
			fault("message %u of %zu bytes is garbled at %zu",
			      msg.seqn, msg.size, i);
	if (!from)
		return;
	std::memcpy(&passed, bytes, sizeof(passed));
	me.ledger.shorts[source][thread][me.at].passed_by(passed);
}

int Worker::receive(ccm_msg &msg, u32 flags)
{
	int got = ccm_core_receive(
		me_.node(), &msg, flags,
		chance(3) ? 0 : static_cast<int>(random_.below(60)));
	if (got < 0 && !may_fail_to_receive(got))
		fault("receiving is %d", got);
	return got;
}

// Of even threads, messages are received by one at a time, and so in order.
void Worker::receive()
{
	u32 source = any_node();
	u32 thread = random_.below(plan_.workers);
	u32 module = random_.below(kMessageModules);
	Flow &flow = me_.ledger.flows[source][thread][me_.at][module];
	bool in_order = thread % 2 == 0;
	u32 flags = CCM_NOSEQ;
	std::vector<u8> buffer(chance(8)   ? random_.below(300)
			       : chance(8) ? kLargest + 100
					   : kMostly);
	ccm_msg msg{.node = chance(2) ? CCM_ANY_NODE : source + 1,
		    .module = kModules[module],
		    .type = type_of(source, thread),
		    .seqn = 0,
		    .size = buffer.size(),
		    .data = buffer.data()};

	if (in_order && !flow.claim())
		return;
	if (chance(3))
		flags |= CCM_HANDOVER;
	if (!in_order && chance(4)) {
		flags &= ~static_cast<u32>(CCM_NOSEQ);
		msg.seqn = flow.newest() + 1 - random_.below(3);
	}
	if (receive(msg, flags) >= 0) {
		check(me_, msg, source, thread);
		if (in_order)
			flow.received_in_order(msg.seqn);
		else
			flow.received(msg.seqn);
		if (flags & CCM_HANDOVER)
			ccm_core_message_free(msg.data);
	}
	if (in_order)
		flow.let_go();
}

void receive_all(Member &me, u32 source, u32 thread, u32 module)
{
	Flow &flow = me.ledger.flows[source][thread][me.at][module];
	ccm_msg msg{.node = source + 1,
		    .module = kModules[module],
		    .type = type_of(source, thread),
		    .seqn = 0,
		    .size = 0,
		    .data = nullptr};

	while (ccm_core_receive(me.node(), &msg, CCM_NOSEQ | CCM_HANDOVER, 0) >=
	       0) {
		check(me, msg, source, thread);
		flow.received(msg.seqn);
		ccm_core_message_free(msg.data);
	}
}

void Worker::cancel()
{
	ccm_msg msg{.node = chance(2) ? CCM_ANY_NODE : 1 + any_node(),
		    .module = kModules[random_.below(kMessageModules)],
		    .type = type_of(any_node(), random_.below(plan_.workers)),
		    .seqn = 0,
		    .size = 0,
		    .data = nullptr};

	(void)ccm_core_cancel(me_.node(), &msg, CCM_NOSEQ);
}

} // namespace ccm_testing

// SPDX-License-Identifier: GPL-2.0
#include "sim/call.hpp"

#include "buffer.hpp"
#include "host.hpp"

#include <cerrno>
#include <optional>

namespace ccm_testing {

namespace {

constexpr u64 kAnswered = 0x5ca1ab1e;
constexpr u32 kBytesMax = 30000;
constexpr int kNoMemory = -ENOMEM;

int result_of(u64 id)
{
	return static_cast<int>(id % 1000000);
}

size_t random_bytes(Random &random)
{
	return random.below(12) ? random.below(200) : random.below(kBytesMax);
}

std::vector<u8> pattern_of(u64 id, size_t size)
{
	std::vector<u8> bytes(size);

	for (size_t i = 0; i < size; i++)
		bytes[i] = pattern(static_cast<u32>(id), i);
	return bytes;
}

bool holds(const void *data, u64 id, size_t size)
{
	auto *bytes = static_cast<const u8 *>(data);

	for (size_t i = 0; i < size; i++)
		if (bytes[i] != pattern(static_cast<u32>(id), i))
			return false;
	return true;
}

constexpr ccm_arg u32_arg(u32 value)
{
	return {.type = CCM_ARG_U32,
		.size = 0,
		.number = value,
		.data = nullptr};
}

constexpr ccm_arg u64_arg(u64 value)
{
	return {.type = CCM_ARG_U64,
		.size = 0,
		.number = value,
		.data = nullptr};
}

ccm_arg bytes_arg(const std::vector<u8> &bytes)
{
	return {.type = CCM_ARG_BYTES,
		.size = bytes.size(),
		.number = 0,
		.data = bytes.data()};
}

// The arguments of a call, with what they refer to.
struct Arguments {
	Arguments(const Member &caller, const Question &question)
		: bytes(pattern_of(question.id, question.bytes)),
		  args{u64_arg(question.id),
		       u32_arg(question.source),
		       u32_arg(question.thread),
		       u32_arg(question.number),
		       bytes_arg(bytes),
		       {.type = CCM_ARG_STRING,
			.size = 0,
			.number = 0,
			.data = caller.name}}
	{
	}

	std::vector<u8> bytes;
	ccm_arg args[6];
};

void check_answer(u64 id, ccm_answer &answer)
{
	u64 said;
	const void *data;
	size_t size;

	if (answer.result == kNoMemory)
		return; // the handler had none for what it says besides
	if (answer.result != result_of(id) ||
	    ccm_core_get_u64(&answer.args, &said) || said != (id ^ kAnswered) ||
	    ccm_core_get_bytes(&answer.args, &data, &size) ||
	    !holds(data, id + 1, size) || ccm_core_get_end(&answer.args))
		fault("the answer of call %llu is not what was answered",
		      static_cast<unsigned long long>(id));
}

// What a call with an answer may come to, and why not.
bool is_end(int error)
{
	switch (-error) {
	case 0:
	case EAGAIN:
	case ETIMEDOUT:
	case ECONNABORTED:
	case ECANCELED:
	case EINTR:
	case 512: // ERESTARTSYS: a signal, and nothing was sent
	case EOVERFLOW:
		return true;
	default:
		return says_not_run(error);
	}
}

void note_end(CallLog &calls, u64 id, int error)
{
	if (!is_end(error))
		fault("call %llu ends with %d",
		      static_cast<unsigned long long>(id), error);
	if (says_not_run(error))
		calls.not_run(id);
}

// An asynchronous call's context; gone when its end is told.
struct Asked {
	Member &caller;
	u64 id;
};

void on_done(void *context, int error, ccm_answer *answer)
{
	auto *asked = static_cast<Asked *>(context);
	CallLog &calls = asked->caller.ledger.calls;

	calls.ended(asked->id);
	note_end(calls, asked->id, error);
	if (!error)
		check_answer(asked->id, *answer);
	delete asked;
}

ccm_call wanted(u32 target, u32 function, unsigned int flags, int timeout_ms)
{
	return {.node = target + 1,
		.module = kModules[kCallModule],
		.function = function,
		.seqn = 0,
		.flags = flags,
		.timeout_ms = timeout_ms};
}

} // namespace

void call_async(Member &caller, u32 target, u32 function, Random &random,
		int timeout_ms, bool nowait)
{
	CallLog &calls = caller.ledger.calls;
	u64 id = calls.begin();

	if (!id)
		return;
	Question question{id, caller.at, 0, 0, random_bytes(random)};
	Arguments arguments(caller, question);
	ccm_call call =
		wanted(target, function, nowait ? CCM_NOWAIT : 0, timeout_ms);
	auto *asked = new Asked{caller, id};
	std::optional<host::NoSleep> as_in_an_interrupt;

	if (nowait)
		as_in_an_interrupt.emplace();
	int error = ccm_core_rcall_begin(caller.node(), &call, on_done, asked,
					 arguments.args,
					 std::size(arguments.args));
	if (!error) {
		calls.begun(id);
		return;
	}
	delete asked;
	note_end(calls, id, error);
	calls.not_run(id);
}

// How it ended.
static int call_for_answer(Member &caller, u32 target, u32 function,
			   Random &random, int timeout_ms)
{
	CallLog &calls = caller.ledger.calls;
	u64 id = calls.begin();

	if (!id)
		return 0;
	Question question{id, caller.at, 0, 0, random_bytes(random)};
	Arguments arguments(caller, question);
	ccm_call call = wanted(target, function, 0, timeout_ms);
	ccm_answer answer;

	int error = ccm_core_rcall_wait(caller.node(), &call, &answer,
					arguments.args,
					std::size(arguments.args));
	note_end(calls, id, error);
	if (error)
		return error;
	check_answer(id, answer);
	ccm_core_message_free(answer.message);
	return 0;
}

void call_and_wait(Member &caller, u32 target, u32 function, Random &random,
		   int timeout_ms)
{
	(void)call_for_answer(caller, target, function, random, timeout_ms);
}

void call_in_quiet(Member &caller, u32 target, u32 function, Random &random,
		   int timeout_ms)
{
	int error =
		call_for_answer(caller, target, function, random, timeout_ms);

	if (error)
		fault("in quiet, a call of function %u from %u to %u: %d",
		      function, caller.number(), target + 1, error);
}

bool call_one_way(Member &caller, u32 target, u32 function, Random &random,
		  bool on_thread, bool nowait, u32 thread, u32 number)
{
	CallLog &calls = caller.ledger.calls;
	u64 id = calls.begin();

	if (!id)
		return false;
	Question question{id, caller.at, thread, number, random_bytes(random)};
	Arguments arguments(caller, question);
	ccm_call call = wanted(target, function, nowait ? CCM_NOWAIT : 0,
			       static_cast<int>(random.below(100)));
	std::optional<host::NoSleep> as_in_an_interrupt;

	if (nowait)
		as_in_an_interrupt.emplace();
	int error = ccm_core_rcall(caller.node(), &call, on_thread,
				   arguments.args, std::size(arguments.args));
	if (!error)
		return true;
	note_end(calls, id, error);
	calls.not_run(id);
	return false;
}

Question Question::read(ccm_args &args)
{
	Question q{};
	const void *data;
	const char *name;

	if (ccm_core_get_u64(&args, &q.id) ||
	    ccm_core_get_u32(&args, &q.source) ||
	    ccm_core_get_u32(&args, &q.thread) ||
	    ccm_core_get_u32(&args, &q.number) ||
	    ccm_core_get_bytes(&args, &data, &q.bytes))
		fault("the arguments of a call have not come as they went");
	if (q.source + 1 != args.node || !holds(data, q.id, q.bytes))
		fault("the arguments of call %llu are not what was given",
		      static_cast<unsigned long long>(q.id));
	// Its string may have become shorter as it was written.
	int error = ccm_core_get_string(&args, &name);
	if (error && error != -EBADMSG)
		fault("the string of a call: %d", error);
	return q;
}

int answer(ccm_args &args, const Question &question)
{
	std::vector<u8> bytes = pattern_of(question.id + 1, question.bytes / 2);
	const ccm_arg back[] = {u64_arg(question.id ^ kAnswered),
				bytes_arg(bytes)};
	int error = ccm_core_answer_with(&args, back, std::size(back));

	return error ? kNoMemory : result_of(question.id);
}

} // namespace ccm_testing

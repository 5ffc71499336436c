// SPDX-License-Identifier: GPL-2.0
#include "background.hpp"
#include "memory.hpp"
#include "support/endian.hpp"
#include "support/list.hpp"
#include "support/lock.hpp"
#include "support/result.hpp"
#include "support/table.hpp"
#include "test.hpp"

using namespace ccm;
using namespace ccm_testing;

// --- list --------------------------------------------------------------------------

namespace {

struct OnSecond;

struct Item : Hook<Item>, Hook<OnSecond> {
	explicit Item(int number_ = 0) : number(number_)
	{
	}

	int number;
};

using Items = List<Item>;

// The numbers in a list as the digits of one.
int digits(Items &list)
{
	int all = 0;

	for (Item *i = list.front(); i; i = list.next(i))
		all = all * 10 + i->number;
	return all;
}

} // namespace

CCM_TEST(list, empty__when_new)
{
	Items list;

	EXPECT(list.empty());
	EXPECT(list.front() == nullptr);
	EXPECT(list.pop_front() == nullptr);
}

CCM_TEST(list, push_back__keeps_the_order)
{
	Items list;
	Item one(1), two(2), three(3);

	list.push_back(&one);
	list.push_back(&two);
	list.push_back(&three);
	EXPECT_EQ(123, digits(list));
	EXPECT(!list.empty());
	EXPECT(one.Hook<Item>::linked());
}

CCM_TEST(list, pop_front__takes_the_first)
{
	Items list;
	Item one(1), two(2);

	list.push_back(&one);
	list.push_back(&two);
	EXPECT(list.pop_front() == &one);
	EXPECT(!one.Hook<Item>::linked());
	EXPECT_EQ(2, digits(list));
	EXPECT(list.pop_front() == &two);
	EXPECT(list.empty());
}

CCM_TEST(list, remove__from_every_place)
{
	static const int kLeft[] = {234, 134, 124, 123};

	for (int place = 0; place < 4; place++) {
		Item items[] = {Item(1), Item(2), Item(3), Item(4)};
		Items list;

		for (Item &item : items)
			list.push_back(&item);
		list.remove(&items[place]);
		EXPECT_EQ(kLeft[place], digits(list));
		EXPECT(!items[place].Hook<Item>::linked());
	}
}

CCM_TEST(list, remove__of_the_current_one_while_walking)
{
	Item items[] = {Item(1), Item(2), Item(3), Item(4)};
	Items list;

	for (Item &item : items)
		list.push_back(&item);
	for (Item *i = list.front(), *next; i; i = next) {
		next = list.next(i);
		if (i->number % 2 == 0)
			list.remove(i);
	}
	EXPECT_EQ(13, digits(list));
}

CCM_TEST(list, append__puts_all_behind)
{
	Items first, second;
	Item one(1), two(2), three(3);

	first.push_back(&one);
	second.push_back(&two);
	second.push_back(&three);
	first.append(second);
	EXPECT_EQ(123, digits(first));
	EXPECT(second.empty());
}

CCM_TEST(list, append__leaves_a_whole_list)
{
	Items first, second;
	Item items[] = {Item(1), Item(2), Item(3), Item(4), Item(5)};

	first.push_back(&items[0]);
	second.push_back(&items[1]);
	second.push_back(&items[2]);
	first.append(second);
	first.push_back(&items[3]);
	second.push_back(&items[4]); // it can be used again
	EXPECT_EQ(1234, digits(first));
	EXPECT_EQ(5, digits(second));
	first.remove(&items[1]);
	EXPECT_EQ(134, digits(first));
}

CCM_TEST(list, append__of_an_empty_one)
{
	Items first, second;
	Item one(1);

	first.push_back(&one);
	first.append(second);
	EXPECT_EQ(1, digits(first));
	second.append(first);
	EXPECT_EQ(1, digits(second));
	EXPECT(first.empty());
}

CCM_TEST(list, push_back__again_after_it_was_taken)
{
	Items list;
	Item one(1), two(2);

	list.push_back(&one);
	list.push_back(&two);
	list.push_back(list.pop_front());
	EXPECT_EQ(21, digits(list));
}

CCM_TEST(list, push_back__on_two_lists_by_two_hooks)
{
	Items list;
	List<Item, OnSecond> second;
	Item one(1), two(2);

	list.push_back(&one);
	list.push_back(&two);
	second.push_back(&two);
	second.push_back(&one);
	list.remove(&one);
	EXPECT_EQ(2, digits(list));
	EXPECT(second.front() == &two);
	EXPECT(second.next(&two) == &one);
	EXPECT(second.next(&one) == nullptr);
}

// --- table -------------------------------------------------------------------------

namespace {

constexpr u32 kTableSize = 100; // the last leaf is not full

using Numbers = Table<int, kTableSize>;

} // namespace

CCM_TEST(table, get__of_nothing)
{
	Numbers table;

	EXPECT(table.get(0) == nullptr);
	EXPECT(table.get(kTableSize - 1) == nullptr);
	EXPECT(table.from(0) == nullptr);
}

CCM_TEST(table, get__beyond_its_size)
{
	Numbers table;
	int value = 1;

	REQUIRE(table.reserve(kTableSize - 1, MaySleep::Yes));
	table.put_if_empty(kTableSize - 1, &value);
	EXPECT(table.get(kTableSize) == nullptr);
	EXPECT(table.get(~0u) == nullptr);
	EXPECT(table.from(kTableSize) == nullptr);
	EXPECT(table.from(~0u) == nullptr);
}

CCM_TEST(table, put_if_empty__is_found_by_its_number)
{
	static const u32 kNumbers[] = {0, 1, 31, 32, 63, 64, 98, 99};

	for (u32 number : kNumbers) {
		Numbers table;
		int value = 1;

		REQUIRE(table.reserve(number, MaySleep::Yes));
		EXPECT(table.put_if_empty(number, &value) == &value);
		for (u32 i = 0; i < kTableSize; i++)
			EXPECT((table.get(i) == &value) == (i == number));
	}
}

CCM_TEST(table, put_if_empty__leaves_what_is_there)
{
	Numbers table;
	int first = 1, second = 2;

	REQUIRE(table.reserve(5, MaySleep::Yes));
	table.put_if_empty(5, &first);
	EXPECT(table.put_if_empty(5, &second) == &first);
	EXPECT(table.get(5) == &first);
}

CCM_TEST(table, clear__makes_room_again)
{
	Numbers table;
	int first = 1, second = 2;

	REQUIRE(table.reserve(5, MaySleep::Yes));
	table.put_if_empty(5, &first);
	table.clear(5);
	EXPECT(table.get(5) == nullptr);
	EXPECT(table.put_if_empty(5, &second) == &second);
}

CCM_TEST(table, from__walks_all_in_order)
{
	static const u32 kNumbers[] = {0, 31, 32, 70, 99};
	int values[5] = {0, 1, 2, 3, 4};
	Numbers table;
	u32 next = 0;

	for (int i = 0; i < 5; i++) {
		REQUIRE(table.reserve(kNumbers[i], MaySleep::Yes));
		table.put_if_empty(kNumbers[i], &values[i]);
	}
	for (int i = 0; i < 5; i++) {
		int *found = table.from(next);

		REQUIRE(found == &values[i]);
		next = kNumbers[*found] + 1;
	}
	EXPECT(table.from(next) == nullptr);
}

CCM_TEST(table, from__passes_over_what_is_not_there)
{
	static const u32 kNumbers[] = {31, 32, 33, 63, 64, 65, 95, 96, 99};

	for (u32 number : kNumbers) {
		Numbers table;
		int value = 1;

		REQUIRE(table.reserve(number, MaySleep::Yes));
		table.put_if_empty(number, &value);
		for (u32 i = 0; i < kTableSize; i++)
			EXPECT((table.from(i) == &value) == (i <= number));
	}
}

CCM_TEST(table, get__beyond_full_leaves)
{
	Table<int, 64> table;
	int value = 1;

	REQUIRE(table.reserve(63, MaySleep::Yes));
	table.put_if_empty(63, &value);
	EXPECT(table.get(63) == &value);
	EXPECT(table.get(64) == nullptr);
	EXPECT(table.from(64) == nullptr);
}

CCM_TEST(table, reserve__without_memory)
{
	Numbers table;
	OutOfMemory now;

	EXPECT(!table.reserve(5, MaySleep::Yes));
	EXPECT(table.get(5) == nullptr);
	EXPECT(table.reserve(5, MaySleep::No));
}

CCM_TEST(table, reserve__again_needs_no_memory)
{
	Numbers table;

	REQUIRE(table.reserve(5, MaySleep::Yes));
	OutOfMemory now;
	EXPECT(table.reserve(5, MaySleep::Yes));
	EXPECT(table.reserve(6, MaySleep::Yes)); // the same leaf
	EXPECT(!table.reserve(40, MaySleep::Yes));
}

// --- endian ------------------------------------------------------------------------

namespace {

template <class T> void expect_bytes(ccm_test *test, T value, u64 expected)
{
	u8 bytes[sizeof(T)];

	copy(bytes, &value, sizeof(T));
	for (size_t i = 0; i < sizeof(T); i++)
		EXPECT_EQ(expected >> 8 * (sizeof(T) - 1 - i) & 0xff, bytes[i]);
}

} // namespace

CCM_TEST(endian, store__high_byte_first)
{
	expect_bytes(test, be16(0x0102), 0x0102);
	expect_bytes(test, be32(0x01020304), 0x01020304);
	expect_bytes(test, be64(0x0102030405060708), 0x0102030405060708);
}

CCM_TEST(endian, load__what_was_stored)
{
	static const u64 kValues[] = {
		0,    1, 0x80, 0xff, 0x0102030405060708, 0x8000000000000000,
		~0ull};

	for (u64 value : kValues) {
		EXPECT_EQ(static_cast<u16>(value),
			  be16(static_cast<u16>(value)));
		EXPECT_EQ(static_cast<u32>(value),
			  be32(static_cast<u32>(value)));
		EXPECT_EQ(value, be64(value));
	}
}

CCM_TEST(endian, size__has_no_padding)
{
	struct Packed {
		be16 a;
		be64 b;
		be32 c;
	};

	EXPECT_EQ(14, sizeof(Packed));
	EXPECT_EQ(1, alignof(Packed));
}

// --- result ------------------------------------------------------------------------

namespace {

Result<int> half(int number)
{
	if (number % 2)
		return fail(EINVAL);
	return number / 2;
}

Result<int> quarter(int number)
{
	int first = TRY(half(number));

	return TRY(half(first));
}

Status check(int number, bool *went_on)
{
	TRY(half(number));
	*went_on = true;
	return {};
}

} // namespace

CCM_TEST(result, value__when_ok)
{
	auto result = half(8);

	EXPECT(result.ok());
	EXPECT_EQ(4, result.value());
	EXPECT_EQ(0, result.error());
}

CCM_TEST(result, error__when_failed)
{
	auto result = half(7);

	EXPECT(!result.ok());
	EXPECT_EQ(EINVAL, result.error());
}

CCM_TEST(result, try__gives_the_value_or_returns_the_error)
{
	EXPECT_EQ(3, quarter(12).value());
	EXPECT_EQ(EINVAL, quarter(7).error());
	EXPECT_EQ(EINVAL, quarter(6).error());
}

CCM_TEST(result, try__of_a_failure_ends_the_function)
{
	bool went_on = false;

	EXPECT_EQ(EINVAL, check(1, &went_on).error());
	EXPECT(!went_on);
	EXPECT(check(2, &went_on).ok());
	EXPECT(went_on);
}

CCM_TEST(result, status__to_and_from_the_kernel_side)
{
	EXPECT(Status::from(0).ok());
	EXPECT(Status::from(5).ok()); // a length
	EXPECT_EQ(EAGAIN, Status::from(-EAGAIN).error());
	EXPECT_EQ(-EAGAIN, Status::from(-EAGAIN).code());
	EXPECT_EQ(0, Status().code());
}

// --- locks and sleepers ----------------------------------------------------------------

CCM_TEST(lock, guard__keeps_the_others_out)
{
	Lock lock{CCM_LOCK_PEER};
	int sum = 0;
	auto add = [&] {
		for (int i = 0; i < 1000; i++) {
			Guard guard(lock);
			sum = sum + 1;
		}
	};
	{
		Background first(add), second(add);
		REQUIRE(first.ends() && second.ends());
	}
	EXPECT_EQ(2000, sum);
}

CCM_TEST(lock, count__is_gone_with_the_last_put)
{
	Count count;

	count.get();
	EXPECT(count.get_live());
	EXPECT(!count.put());
	EXPECT(!count.put());
	EXPECT(count.put());
	EXPECT(!count.get_live());
}

CCM_TEST(lock, wait__ends_when_it_is_so)
{
	Sleepers sleepers;
	Atomic<bool> so{false};
	int result = 1;
	{
		Background waiter([&] {
			result = sleepers.wait([&] { return so.load(); },
					       CCM_FOREVER);
		});
		EXPECT(waiter.goes_on());
		so.store(true);
		sleepers.wake();
		EXPECT(waiter.ends());
	}
	EXPECT_EQ(0, result);
}

CCM_TEST(lock, wait__ends_in_time)
{
	Sleepers sleepers;
	u64 before = ccm_now_ms();

	EXPECT_EQ(-ETIMEDOUT, sleepers.wait([] { return false; }, 30));
	EXPECT_EQ(-ETIMEDOUT, sleepers.wait_idle([] { return false; }, 0));
	EXPECT_EQ(0, sleepers.wait([] { return true; }, 0));
	EXPECT(ccm_now_ms() - before >= 20);
}

// --- busy ----------------------------------------------------------------------

CCM_TEST(lock, busy__is_the_thread_alone)
{
	bool other_may_wait = false;
	auto look = [](void *may_wait) {
		*static_cast<bool *>(may_wait) = ccm_thread_may_wait();
	};
	Busy busy;

	EXPECT(!ccm_thread_may_wait());
	ccm_test_beside(look, &other_may_wait);
	EXPECT(other_may_wait);
}

// One that is busy in between does not end it.
CCM_TEST(lock, busy__two_threads_at_once)
{
	bool was_busy = false;
	auto be_busy = [](void *was) {
		Busy busy;
		*static_cast<bool *>(was) = !ccm_thread_may_wait();
	};
	{
		Busy busy;

		ccm_test_beside(be_busy, &was_busy);
		EXPECT(was_busy);
		EXPECT(!ccm_thread_may_wait());
	}
	EXPECT(ccm_thread_may_wait());
}

CCM_TEST(lock, busy__twice_in_one_thread)
{
	Busy busy;
	{
		Busy again;
	}
	EXPECT(!ccm_thread_may_wait());
}

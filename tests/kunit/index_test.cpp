// SPDX-License-Identifier: GPL-2.0
// Objects found by what they are.
#include "support/index.hpp"

#include "memory.hpp"
#include "random.hpp"
#include "test.hpp"

using namespace ccm;
using namespace ccm_testing;

namespace {

struct Card {
	Link link;
	u32 number;
	u32 order; // in its group
	bool in;
};

// All of them may have the same hash.
struct ByNumber {
	using Object = Card;
	using What = u32;

	Link &link(Card &card) const
	{
		return card.link;
	}
	Card &object(Link &link) const
	{
		return reinterpret_cast<Card &>(link);
	}
	u32 what(const Card &card) const
	{
		asked++;
		return card.number;
	}
	u32 hash(u32 number) const
	{
		return one_hash ? 5 : number * 2654435761u;
	}
	bool same(u32 a, u32 b) const
	{
		return a == b;
	}

	bool one_hash = false;

	static u64 asked; // how often any has been looked at
};
u64 ByNumber::asked;

// An index, and so many that can be in it, of so many numbers.
class Box {
public:
	Box(u32 count_, u32 numbers_, bool one_hash = false)
		: index(ByNumber{one_hash}), numbers(numbers_),
		  size_(count_ * sizeof(Card)),
		  cards_(static_cast<Card *>(
			  ccm_buffer_alloc(size_, CCM_EFFORT_LONG))),
		  count(cards_ ? count_ : 0)
	{
		for (u32 i = 0; i < count; i++)
			cards_[i] = {{}, i % numbers, 0, false};
	}
	~Box()
	{
		for (u32 i = 0; i < count; i++)
			if (cards_[i].in)
				index.remove(cards_[i]);
		if (cards_)
			ccm_buffer_free(cards_, size_);
	}
	Box(const Box &) = delete;
	Box &operator=(const Box &) = delete;

	Card &operator[](u32 nth)
	{
		return cards_[nth];
	}
	void add(u32 nth)
	{
		cards_[nth].in = true;
		cards_[nth].order = ++last_;
		index.add(cards_[nth]);
	}
	void remove(u32 nth)
	{
		cards_[nth].in = false;
		index.remove(cards_[nth]);
	}
	// Whether a group has those that it should, in the order of their coming.
	bool is_right(u32 number)
	{
		u32 before = 0;
		u32 found = 0;
		u32 there = 0;

		for (u32 i = number; i < count; i += numbers)
			there += cards_[i].in;
		for (Card *c = index.first(number); c; c = index.next(*c)) {
			if (!c->in || c->number != number || c->order <= before)
				return false;
			before = c->order;
			found++;
		}
		return found == there;
	}
	bool are_right()
	{
		for (u32 number = 0; number < numbers; number++)
			if (!is_right(number))
				return false;
		return true;
	}

	Index<ByNumber> index;
	const u32 numbers;

private:
	const size_t size_;
	Card *const cards_;
	u32 last_ = 0;

public:
	const u32 count;
};

// Each step adds one or takes one out, more often the one than the other.
void shuffle(ccm_test *test, Box &box, u32 steps)
{
	Random random(box.count + box.numbers);

	REQUIRE(box.count > 0);
	for (u32 step = 0; step < steps; step++) {
		u32 nth = random.below(box.count);
		bool more = random.below(4) != 0;

		if (step / 500 % 2)
			more = !more;
		if (more && !box[nth].in)
			box.add(nth);
		else if (!more && box[nth].in)
			box.remove(nth);
		if (!box.is_right(nth % box.numbers))
			break;
		if (step % 250 == 0 && !box.are_right())
			break;
	}
	EXPECT(box.are_right());
}

// Steps to find the one of a number, among those that are there.
u64 steps_to_find(Box &box, u32 number)
{
	u64 before = ByNumber::asked;

	(void)box.index.first(number);
	return ByNumber::asked - before;
}

} // namespace

CCM_TEST(index, first__of_none)
{
	Box box(4, 4);

	REQUIRE_EQ(4, box.count);
	EXPECT(box.index.first(1) == nullptr);
	box.add(1);
	EXPECT(box.index.first(1) == &box[1]);
	EXPECT(box.index.first(2) == nullptr);
	EXPECT(box.index.next(box[1]) == nullptr);
}

CCM_TEST(index, insert__before_any_of_its_group)
{
	Box box(6, 2);

	REQUIRE_EQ(6, box.count);
	box.add(0);
	box.add(1);
	box.index.insert(box[2], box[0]);
	box.index.insert(box[4], box[0]);
	box.index.insert(box[3], box[1]);
	EXPECT(box.index.first(0) == &box[2]);
	EXPECT(box.index.next(box[2]) == &box[4]);
	EXPECT(box.index.next(box[4]) == &box[0]);
	EXPECT(box.index.next(box[0]) == nullptr);
	EXPECT(box.index.first(1) == &box[3]);
	EXPECT(box.index.next(box[3]) == &box[1]);
	for (u32 i = 2; i < 5; i++)
		box[i].in = true;
}

CCM_TEST(index, random__all_alike)
{
	Box box(200, 1);

	shuffle(test, box, 4000);
}

CCM_TEST(index, random__all_different)
{
	Box box(3000, 3000);

	shuffle(test, box, 20000);
}

CCM_TEST(index, random__some_alike)
{
	Box box(1000, 90);

	shuffle(test, box, 10000);
}

CCM_TEST(index, random__all_with_one_hash)
{
	Box box(60, 20, true);

	shuffle(test, box, 4000);
}

// Now and then the first allocation fails, or the second.
CCM_TEST(index, random__memory_fails)
{
	Box box(600, 600);

	REQUIRE_EQ(600, box.count);
	for (u32 i = 0; i < box.count; i++) {
		OutOfMemory now(i % 3);

		box.add(i);
	}
	EXPECT(box.are_right());
	for (u32 i = 0; i < box.count; i += 2)
		box.remove(i);
	EXPECT(box.are_right());
}

CCM_TEST(index, add__without_any_memory)
{
	long before = ccm_memory_count();
	{
		Box box(300, 300);

		REQUIRE_EQ(300, box.count);
		for (u32 i = 0; i < box.count; i++) {
			OutOfMemory now;

			box.add(i);
		}
		EXPECT(box.are_right());
		EXPECT_EQ(4, box.index.buckets());
		EXPECT_EQ(before + 1, ccm_memory_count());
		// With memory again it grows by one with each that comes.
		box.remove(7);
		box.add(7);
		EXPECT_EQ(5, box.index.buckets());
	}
	EXPECT_EQ(before, ccm_memory_count());
}

CCM_TEST(index, first__no_more_steps_among_many)
{
	Box box(20000, 20000);
	u64 steps = 0;

	REQUIRE_EQ(20000, box.count);
	for (u32 i = 0; i < box.count; i++)
		box.add(i);
	for (u32 i = 0; i < box.count; i++)
		steps += steps_to_find(box, i);
	// Half of the others in the same bucket, and itself.
	EXPECT(steps < 3 * u64{box.count});
}

CCM_TEST(index, remove__gives_all_memory_back)
{
	long before = ccm_memory_count();
	{
		Box box(20000, 20000);

		REQUIRE_EQ(20000, box.count);
		for (u32 i = 0; i < box.count; i++)
			box.add(i);
		EXPECT(box.index.buckets() > 5000);
		for (u32 i = 0; i < box.count; i++)
			box.remove(i);
		EXPECT_EQ(4, box.index.buckets());
		EXPECT_EQ(before + 1, ccm_memory_count());
	}
	EXPECT_EQ(before, ccm_memory_count());
}

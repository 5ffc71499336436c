// SPDX-License-Identifier: GPL-2.0
#include "key.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/keyctl.h>

#include "ccm.hpp"
#include "failure.hpp"

namespace ccmctl {

namespace {

constexpr std::size_t kDigits = 2 * Secret::kSize;
constexpr std::size_t kFileSize = kDigits + 1; // and the end of the line

// As Secret, for what stands in the file; one byte more shows that it is longer.
struct Text {
	~Text()
	{
		explicit_bzero(bytes.data(), bytes.size());
	}
	std::array<char, kFileSize + 1> bytes{};
	std::size_t size = 0;
};

// Closed with the scope.
class File {
public:
	explicit File(int fd) : fd_(fd)
	{
	}
	~File()
	{
		if (fd_ >= 0)
			::close(fd_);
	}
	File(const File &) = delete;
	File &operator=(const File &) = delete;

	int get() const
	{
		return fd_;
	}

private:
	int fd_;
};

std::string because(int error)
{
	return std::strerror(error);
}

int value_of(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

std::string mode_problem(const std::string &path, int fd)
{
	struct stat status {};

	if (fstat(fd, &status) != 0)
		return path + ": " + because(errno);
	if (!S_ISREG(status.st_mode))
		return path + " is no file";
	if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return path + " is open to others than its owner: chmod 600 " +
		       path;
	return "";
}

std::string digits_problem(const std::string &path, const Text &text)
{
	const std::string_view all(text.bytes.data(), text.size);
	const std::string_view digits = all.substr(0, all.find('\n'));

	for (const char digit : digits)
		if (value_of(digit) < 0)
			return path + " has other characters than hexadecimal "
				      "digits: make a key with ccmctl genkey";
	if (digits.size() < kDigits)
		return path + " is too short: a key has " +
		       std::to_string(kDigits) +
		       " hexadecimal digits; make one with ccmctl genkey";
	if (digits.size() > kDigits || all.size() != kFileSize)
		return path + " is more than a line of " +
		       std::to_string(kDigits) +
		       " hexadecimal digits: make a key with ccmctl genkey";
	return "";
}

// What is wrong with the file, or "".
std::string read_text(const std::string &path, Text &out)
{
	// A FIFO must not hold us up.
	const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	if (file.get() < 0)
		return "cannot read " + path + ": " + because(errno);
	std::string problem = mode_problem(path, file.get());
	if (!problem.empty())
		return problem;
	const ssize_t size =
		read(file.get(), out.bytes.data(), out.bytes.size());
	if (size < 0)
		return "cannot read " + path + ": " + because(errno);
	out.size = static_cast<std::size_t>(size);
	return digits_problem(path, out);
}

void write_text(const std::string &path, const Text &text)
{
	const File file(open(path.c_str(),
			     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));

	if (file.get() < 0 && errno == EEXIST)
		throw Failure(path + " exists already: a key is never written "
				     "over; remove it first, or give another "
				     "name");
	if (file.get() < 0)
		throw Failure("cannot create " + path + ": " + because(errno));
	const ssize_t size = write(file.get(), text.bytes.data(), text.size);
	if (size == static_cast<ssize_t>(text.size) && fsync(file.get()) == 0)
		return;
	const int error = size < 0 || errno != 0 ? errno : ENOSPC;
	unlink(path.c_str());
	throw Failure("cannot write " + path + ": " + because(error));
}

}

Secret::~Secret()
{
	explicit_bzero(bytes.data(), bytes.size());
}

std::string key_problem(const std::string &path)
{
	Text text;

	return read_text(path, text);
}

void read_key(const std::string &path, Secret &out)
{
	Text text;
	const std::string problem = read_text(path, text);

	if (!problem.empty())
		throw Failure(problem);
	for (std::size_t i = 0; i < Secret::kSize; i++)
		out.bytes[i] = static_cast<std::uint8_t>(
			value_of(text.bytes[2 * i]) << 4 |
			value_of(text.bytes[2 * i + 1]));
}

void generate_key(const std::string &path)
{
	constexpr char kHex[] = "0123456789abcdef";
	Secret secret;
	Text text;

	if (getrandom(secret.bytes.data(), Secret::kSize, 0) !=
	    static_cast<ssize_t>(Secret::kSize))
		throw Failure("the kernel gives no random bytes: " +
			      because(errno));
	for (const std::uint8_t byte : secret.bytes) {
		text.bytes[text.size++] = kHex[byte >> 4];
		text.bytes[text.size++] = kHex[byte & 0xf];
	}
	text.bytes[text.size++] = '\n';
	write_text(path, text);
}

std::string key_description(const std::string &cluster)
{
	return "ccm:" + cluster;
}

KeyringEntry::KeyringEntry(const std::string &description, const Secret &secret)
	: serial_(static_cast<std::int32_t>(
		  syscall(SYS_add_key, "logon", description.c_str(),
			  secret.bytes.data(), secret.bytes.size(),
			  KEY_SPEC_PROCESS_KEYRING)))
{
	if (serial_ < 0)
		throw Failure("cannot give the kernel the key '" + description +
			      "': " + because(errno));
}

KeyringEntry::~KeyringEntry()
{
	syscall(SYS_keyctl, KEYCTL_UNLINK, serial_, KEY_SPEC_PROCESS_KEYRING);
}

void set_key_file(Ccm &ccm, const std::string &cluster, const std::string &path)
{
	const std::string description = key_description(cluster);
	Secret secret;

	read_key(path, secret);
	const KeyringEntry entry(description, secret);
	ccm.set_key(description); // which keeps what it needs
}

}

// Whether the shapes of an operation's inputs fit each other.
//
// Each input has a pattern, one word a dimension. A letter is a size, and the same one
// wherever it stands; letters side by side are multiplied; "+1" adds one; a digit is
// itself. "N GU", "U GU", "B+1": N steps of G U numbers, a (U, G U) matrix, one number
// more than rows. "*" is an input of any shape. It knows nothing of TensorFlow.

#pragma once

#include <cctype>
#include <cstdint>
#include <sstream>
#include <string>

namespace kseq {

struct Input {
  const char* name;     // "starts: int32", as TensorFlow's registry reads it
  const char* pattern;  // "B+1"
};

struct Shape {
  static constexpr int64_t UNKNOWN = -1;  // of a size or a rank, while a graph is built
  static constexpr int MOST = 4;          // longer shapes fit no pattern
  int64_t rank = UNKNOWN;
  int64_t sizes[MOST] = {UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN};

  std::string text() const {
    if (rank == UNKNOWN) return "(?)";
    std::ostringstream text;
    for (int i = 0; i < rank && i < MOST; i++) {
      text << (i ? ", " : "(");
      sizes[i] == UNKNOWN ? text << "?" : text << sizes[i];
    }
    if (rank == 0) text << "(";
    text << (rank > MOST ? ", ...)" : ")");
    return text.str();
  }
};

class Sizes {
 public:
  // Positions and sizes are counted in 32 bits; rounding up needs some room.
  static constexpr int64_t LARGEST = INT32_MAX - 64;

  Sizes(int gates, int kept) {
    for (int64_t& size : sizes_) size = Shape::UNKNOWN;
    (*this)['G'] = gates;
    (*this)['K'] = kept;
  }
  int64_t operator[](char letter) const { return sizes_[letter - 'A']; }

  // False where the shape contradicts its pattern, or what was learned before.
  bool fit(const Shape& shape, const char* pattern) {
    if (pattern[0] == '*' || shape.rank == Shape::UNKNOWN) return true;
    Sizes learned = *this;
    int axis = 0;
    for (const char* at = pattern; *at; axis++) {
      if (axis >= shape.rank || axis >= Shape::MOST) return false;
      if (!learned.fit_one(shape.sizes[axis], &at)) return false;
    }
    if (axis != shape.rank) return false;
    *this = learned;
    return true;
  }
  // "(N, GU), N = 7, G = 4, U = 5"
  std::string wanted(const char* pattern) const {
    std::ostringstream text, meaning;
    text << '(';
    std::string listed;
    for (const char* at = pattern; *at; at++) {
      *at == ' ' ? text << ", " : text << *at;
      if (!std::isupper(*at) || listed.find(*at) != std::string::npos) continue;
      listed += *at;
      if ((*this)[*at] != Shape::UNKNOWN) meaning << ", " << *at << " = " << (*this)[*at];
    }
    text << ')' << meaning.str();
    return text.str();
  }

 private:
  int64_t& operator[](char letter) { return sizes_[letter - 'A']; }

  // Reads one word, and moves `at` to the next.
  bool fit_one(int64_t size, const char** at) {
    int64_t product = 1, plus = 0;
    char open = 0;  // the letter that is not known yet
    for (; **at && **at != ' '; ++*at) {
      if (**at == '+')
        plus = *++*at - '0';
      else if (std::isdigit(**at))
        product *= **at - '0';
      else if ((*this)[**at] == Shape::UNKNOWN)
        open = **at;
      else
        product *= (*this)[**at];
    }
    while (**at == ' ') ++*at;
    if (size == Shape::UNKNOWN) return true;
    if (size > LARGEST || size < plus) return false;
    if (!open) return size == product + plus;
    if (product == 0 || (size - plus) % product) return false;
    (*this)[open] = (size - plus) / product;
    return true;
  }

  int64_t sizes_['Z' - 'A' + 1];
};

}  // namespace kseq

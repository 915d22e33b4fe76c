// A random generator with a seed, so that a failure can be had again.

/// SplitMix64, after the public domain reference code of Sebastiano Vigna.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Random bytes; `syncShare` in 256 of them are 0xFF on top of those that chance makes.
  mutating func bytes(_ count: Int, syncShare: UInt8 = 0) -> [UInt8] {
    (0..<count).map { _ in
      UInt8.random(in: 0...255, using: &self) < syncShare ? 0xFF : UInt8.random(in: 0...255, using: &self)
    }
  }
}

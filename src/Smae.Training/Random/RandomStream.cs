namespace Smae.Training;

/// <summary>What random numbers are drawn for; each use has a stream of its own.</summary>
internal enum RandomUse
{
    Order = 1,   // of the images of an epoch; by epoch
    Mask = 2,   // the hidden patches of a batch; by step and part
    Augmentation = 3,   // of a batch; by step, part and image
    Model = 4,   // dropout and whatever else a model draws in its forward pass; by step, part and image
    Mixing = 5,   // of the images of a batch and their labels; by step and part
    View = 6,   // a view of a batch that an objective asks for; by step, part, view and image
    HeldOut = 7,   // which images are held out, their crops and masks
    Objective = 8,   // whatever else an objective draws; by step and part
}

/// <summary>
/// Random numbers that depend on nothing but a seed and where they are used (epoch, step): no state is carried from one to the next, so that a run
/// that stops and goes on draws the same numbers as one that never stopped.
/// </summary>
internal sealed class RandomStream(long seed) : IDisposable
{
    private readonly Generator _generator = new();

    /// <summary>A generator for one use at one place; the next call reseeds the same generator.</summary>
    public Generator At(RandomUse use, long index)
    {
        _generator.manual_seed(SeedAt(use, index));
        return _generator;
    }

    public RandomSequence SequenceAt(RandomUse use, long index) => new(SeedAt(use, index));

    /// <summary>A seed for one use at one place.</summary>
    public long SeedAt(RandomUse use, long index) => Mix(Mix(seed, (long)use), index);

    /// <summary>A number that looks like neither of two, not negative.</summary>
    public static long Mix(long a, long b) => (long)(new RandomSequence(unchecked((long)new RandomSequence(a).Next() + b)).Next() >> 1);

    public void Dispose() => _generator.Dispose();
}

/// <summary>Random numbers for work on the CPU that runs in parallel (SplitMix64): the same from the same seed, on every platform and version.</summary>
internal sealed class RandomSequence(long seed)
{
    private ulong _state = (ulong)seed;

    /// <summary>A sequence for each of some images in a row, by its place alone.</summary>
    /// <param name="first">The place of the first.</param>
    public static RandomSequence[] OfImages(long seed, int first, int count) =>
        [.. Enumerable.Range(first, count).Select(place => new RandomSequence(RandomStream.Mix(seed, place)))];

    public ulong Next()
    {
        ulong z = unchecked(_state += 0x9E3779B97F4A7C15UL);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EBUL);
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [from, to).</summary>
    public double Uniform(double from, double to) => from + (to - from) * ((Next() >> 11) * (1.0 / (1UL << 53)));

    public int Below(int limit) => (int)(((UInt128)Next() * (ulong)limit) >> 64);

    public bool Chance(double probability) => Uniform(0, 1) < probability;

    /// <summary>Fills with ones, as likely as that, and zeros.</summary>
    public void FillChances(Span<float> values, double probability)
    {
        ulong limit = (ulong)(probability * (1UL << 32)), drawn = 0;
        for (int i = 0; i < values.Length; i++)
        {
            drawn = (i & 1) == 0 ? Next() : drawn >> 32;   // two of each number
            values[i] = (uint)drawn < limit ? 1 : 0;
        }
    }

    /// <summary>Standard normal (Box and Muller).</summary>
    public double Normal() => Radius() * Math.Cos(Uniform(0, Math.Tau));

    /// <summary>Fills with standard normal numbers, two of each pair drawn.</summary>
    public void FillNormal(Span<float> values)
    {
        for (int i = 0; i < values.Length; i += 2)
        {
            double radius = Radius();
            (double sine, double cosine) = Math.SinCos(Uniform(0, Math.Tau));
            values[i] = (float)(radius * cosine);
            if (i + 1 < values.Length) values[i + 1] = (float)(radius * sine);
        }
    }

    /// <summary>Beta(alpha, alpha), in [0, 1]: by Joehnk up to 1, where powers may vanish, and as a ratio of gammas above.</summary>
    public double Beta(double alpha)
    {
        if (alpha > 1)
        {
            double first = Gamma(alpha), second = Gamma(alpha);
            return first / (first + second);
        }
        while (true)
        {
            double logX = Math.Log(1 - Uniform(0, 1)) / alpha, logY = Math.Log(1 - Uniform(0, 1)) / alpha;
            if (Math.Exp(logX) + Math.Exp(logY) <= 1) return 1 / (1 + Math.Exp(logY - logX));
        }
    }

    /// <summary>Gamma of a shape of at least 1 and scale 1 (Marsaglia and Tsang 2000).</summary>
    private double Gamma(double shape)
    {
        double d = shape - 1.0 / 3, c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x = Normal(), v = 1 + c * x;
            if (v <= 0) continue;
            v = v * v * v;
            if (Math.Log(1 - Uniform(0, 1)) < 0.5 * x * x + d * (1 - v + Math.Log(v))) return d * v;
        }
    }

    private double Radius() => Math.Sqrt(-2 * Math.Log(1 - Uniform(0, 1)));
}

namespace Microsoft.ML;

/// <summary>Makes the random generators of hosts.</summary>
internal static class RandomUtils
{
    public static TauswortheHybrid Create() => new(new Random());

    public static TauswortheHybrid Create(int? seed) => seed.HasValue ? Create(seed.Value) : Create();

    public static TauswortheHybrid Create(int seed) => new((uint)seed);

    public static TauswortheHybrid Create(uint? seed) => seed.HasValue ? new(seed.Value) : Create();

    public static TauswortheHybrid Create(Random seed) => new(seed);

    public static float NextFloat(this Random random)
    {
        if (random is TauswortheHybrid hybrid)
            return hybrid.NextFloat();
        while (true)
        {
            // The largest double below 1 rounds up to 1.
            float value = (float)random.NextDouble();
            if (value < 1)
                return value;
        }
    }

    public static int NextSigned(this Random random) =>
        random is TauswortheHybrid hybrid ? hybrid.NextSigned() : random.Next(int.MinValue, int.MaxValue);

    /// <summary>A random order of the numbers below a count.</summary>
    public static int[] Permutation(Random rand, int count)
    {
        var order = new int[count];
        for (int i = 0; i < count; i++)
            order[i] = i;
        Shuffle(rand, order);
        return order;
    }

    public static void Shuffle<T>(Random rand, Span<T> items)
    {
        for (int i = 0; i < items.Length; i++)
        {
            int other = i + rand.Next(items.Length - i);
            (items[i], items[other]) = (items[other], items[i]);
        }
    }
}

using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Block-wise masking of the SMAE paper: blocks are added until enough patches are hidden; what the last one hid too many, drawn at random from
/// it, is shown again.
/// </summary>
internal sealed record BlockMasking(double Share) : Masking(Share)
{
    public override PatchMask Draw(long batch, int gridHeight, int gridWidth, Generator generator)
    {
        int patches = gridHeight * gridWidth, target = patches - VisibleCount(patches, Ratio);
        using Tensor seeds = randint(long.MaxValue >> 1, new long[] { batch }, ScalarType.Int64, generator: generator);
        long[] seed = seeds.data<long>().ToArray();
        var hidden = new bool[batch * patches];
        Parallel.For(0, (int)batch, b => Hide(hidden.AsSpan(b * patches, patches), gridHeight, gridWidth, target, new RandomSequence(seed[b])));
        return PatchMask.FromFlags(hidden, patches);
    }

    /// <summary>Hides so many patches of an image that hides none yet.</summary>
    internal static void Hide(Span<bool> hidden, int gridHeight, int gridWidth, int target, RandomSequence random)
    {
        var added = new List<int>();   // what the block at hand hides anew
        for (int count = 0; count < target; count += added.Count)
        {
            added.Clear();
            foreach (int place in MaskBlock.Draw(gridHeight, gridWidth, target - count, random).Patches(gridHeight, gridWidth))
            {
                if (hidden[place]) continue;
                hidden[place] = true;
                added.Add(place);
            }
            for (int over = count + added.Count - target; over > 0; over--)
            {
                int pick = random.Below(added.Count);
                hidden[added[pick]] = false;
                added.RemoveAt(pick);
            }
        }
    }
}

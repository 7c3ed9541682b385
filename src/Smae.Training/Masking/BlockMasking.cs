using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Block-wise masking of the SMAE paper. A block has an area s ~ U[16, max(16, what is still to hide)] and an aspect r ~ U[0.3, 1/0.3]; it is
/// sqrt(s r) high and sqrt(s / r) wide, stands anywhere and covers every patch it touches. Blocks are added until enough patches are hidden; what the last
/// one hid too many, drawn at random from it, is shown again.
/// </summary>
internal sealed record BlockMasking(double Share) : Masking(Share)
{
    private const double MinArea = 16, MinAspect = 0.3, MaxAspect = 1 / 0.3;

    public override PatchMask Draw(long batch, int gridHeight, int gridWidth, Generator generator)
    {
        int patches = gridHeight * gridWidth, target = patches - VisibleCount(patches, Ratio);
        using Tensor seeds = randint(long.MaxValue >> 1, new long[] { batch }, ScalarType.Int64, generator: generator);
        long[] seed = seeds.data<long>().ToArray();
        var hidden = new bool[batch * patches];
        Parallel.For(0, (int)batch, b => Hide(hidden.AsSpan(b * patches, patches), gridHeight, gridWidth, target, new RandomSequence(seed[b])));
        return PatchMask.FromFlags(hidden, patches);
    }

    private static void Hide(Span<bool> hidden, int gridHeight, int gridWidth, int target, RandomSequence random)
    {
        var added = new List<int>();   // what the block at hand hides anew
        for (int count = 0; count < target; count += added.Count)
        {
            added.Clear();
            double area = random.Uniform(MinArea, Math.Max(MinArea, target - count)), aspect = random.Uniform(MinAspect, MaxAspect);
            double height = Math.Min(Math.Sqrt(area * aspect), gridHeight), width = Math.Min(Math.Sqrt(area / aspect), gridWidth);
            double top = random.Uniform(0, gridHeight - height), left = random.Uniform(0, gridWidth - width);
            for (int y = (int)top; y < Math.Min(gridHeight, Math.Ceiling(top + height)); y++)
            for (int x = (int)left; x < Math.Min(gridWidth, Math.Ceiling(left + width)); x++)
            {
                int place = y * gridWidth + x;
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

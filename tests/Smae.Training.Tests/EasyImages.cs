namespace Smae.Training.Tests;

/// <summary>Images whose class a glance tells: one channel is brighter than the others.</summary>
internal static class EasyImages
{
    public static LabelledImages Create(int count, int classes = 3, int side = 16, int seed = 1)
    {
        var random = new Random(seed);
        var store = new ImageStore(side, side);
        var labels = new int[count];
        for (int i = 0; i < count; i++)
        {
            labels[i] = i % classes;
            Span<byte> pixels = store.Add();
            for (int p = 0; p < pixels.Length; p++) pixels[p] = (byte)(random.Next(100) + (p % 3 == labels[i] ? 120 : 0));
        }
        return new LabelledImages(store, labels);
    }

    /// <summary>The same images with labels that say nothing about them.</summary>
    public static LabelledImages Shuffled(LabelledImages images, int classes, int seed)
    {
        var random = new Random(seed);
        return new LabelledImages(images.Images, [.. Enumerable.Range(0, (int)images.Count).Select(i => i < classes ? i : random.Next(classes))]);
    }
}

using Microsoft.ML.Data;

namespace Quickstart;

/// <summary>
/// Pictograms printed on coloured paper, drawn on the spot so that the quickstart runs anywhere. The class of an image is the thing that is shown.
/// Colours, light, blots on the paper, noise, place, size, angle and side are random and tell nothing of it. To fill in what is hidden of an image a
/// model must find out from the rest what is shown, which is what a classifier needs to know too.
/// </summary>
internal static class Pictograms
{
    private const int ValidationPerClass = 50, SamplesPerAxis = 3;

    /// <summary>Whether a point belongs to the figure, which fills the square from -1 to 1; y grows downwards.</summary>
    private delegate bool Figure(double x, double y);

    private static readonly (string Name, Figure Inside)[] s_figures =
    [
        ("arrow", (x, y) => Box(x, y, -0.95, -0.28, 0.15, 0.28) || Polygon(x, y, 0.1, -0.8, 0.95, 0, 0.1, 0.8)),
        ("bolt", (x, y) => Polygon(x, y, 0.3, -0.95, -0.6, 0.15, -0.05, 0.15, -0.3, 0.95, 0.6, -0.2, 0.05, -0.2)),
        ("cup", (x, y) => Box(x, y, -0.8, -0.6, 0.4, 0.75) || (Disc(x, y, 0.4, 0, 0.55) && !Disc(x, y, 0.4, 0, 0.3))),
        ("fish", (x, y) => Disc(x / 0.65, y / 0.45, -0.35, 0, 1) || Polygon(x, y, 0.2, 0, 0.95, -0.6, 0.95, 0.6)),
        ("flower", (x, y) => !Disc(x, y, 0, 0, 0.2) && Math.Sqrt(x * x + y * y) < 0.65 + 0.3 * Math.Cos(6 * Math.Atan2(y, x))),
        ("heart", (x, y) => Disc(x, y, -0.43, -0.35, 0.5) || Disc(x, y, 0.43, -0.35, 0.5) || Polygon(x, y, -0.87, -0.12, 0.87, -0.12, 0, 0.95)),
        ("house", (x, y) => Polygon(x, y, -0.95, -0.05, 0, -0.9, 0.95, -0.05) || (Box(x, y, -0.7, -0.1, 0.7, 0.85) && !Box(x, y, -0.2, 0.25, 0.2, 0.85))),
        ("key", (x, y) => (Disc(x, y, -0.5, 0, 0.45) && !Disc(x, y, -0.5, 0, 0.2)) || Box(x, y, -0.1, -0.13, 0.95, 0.13)
            || Box(x, y, 0.65, 0, 0.95, 0.45) || Box(x, y, 0.25, 0, 0.45, 0.4)),
        ("moon", (x, y) => Disc(x, y, 0, 0, 0.9) && !Disc(x, y, 0.45, -0.1, 0.75)),
        ("star", (x, y) => Math.Sqrt(x * x + y * y) * (1 + 0.9 * Math.Abs(Math.IEEERemainder(Math.Atan2(x, -y) / Math.Tau * 5, 1)) * 2) < 0.95),
        ("tree", (x, y) => Polygon(x, y, 0, -0.95, 0.55, -0.1, -0.55, -0.1) || Polygon(x, y, 0, -0.5, 0.8, 0.5, -0.8, 0.5) || Box(x, y, -0.15, 0.4, 0.15, 0.95)),
        ("umbrella", (x, y) => (Disc(x, y, 0, 0, 0.9) && y < 0) || Box(x, y, -0.08, -0.1, 0.08, 0.8)
            || (y > 0.7 && Disc(x, y, 0.17, 0.7, 0.25) && !Disc(x, y, 0.17, 0.7, 0.1))),
    ];

    /// <summary>Writes the set as class folders under <c>train</c> and <c>val</c>, unless it is there already, and gives its folder.</summary>
    /// <param name="folder">Where sets lie, each in a folder of its own.</param>
    /// <param name="perClass">Images of each class to train on.</param>
    /// <param name="size">Height and width in pixels.</param>
    /// <param name="seed">The same seed draws the same images.</param>
    public static string Write(string folder, int perClass, int size, int seed)
    {
        string set = Path.Combine(folder, $"pictograms-{perClass}-{size}px-seed{seed}"), done = Path.Combine(set, "complete");
        if (File.Exists(done)) return set;
        for (int c = 0; c < s_figures.Length; c++)
        {
            (string name, Figure inside) = s_figures[c];
            var random = new Random(seed * 1000 + c);
            foreach (string part in (string[])["train", "val"])
            {
                string directory = Directory.CreateDirectory(Path.Combine(set, part, name)).FullName;
                for (int i = 0; i < (part == "train" ? perClass : ValidationPerClass); i++)
                {
                    using var image = MLImage.CreateFromPixels(size, size, MLPixelFormat.Rgba32, Draw(inside, size, random));
                    image.Save(Path.Combine(directory, $"{i:D4}.png"));
                }
            }
        }
        File.WriteAllText(done, "");
        return set;
    }

    private static byte[] Draw(Figure inside, int size, Random random)
    {
        double Between(double from, double to) => from + (to - from) * random.NextDouble();
        double[] Colour(double from, double to) => [Between(from, to), Between(from, to), Between(from, to)];

        double[] ground = Colour(0.55, 1), paint = Colour(0, 0.45);
        double centreX = size * (0.5 + Between(-0.06, 0.06)), centreY = size * (0.5 + Between(-0.06, 0.06)), scale = size * Between(0.32, 0.42);
        double angle = Between(-0.1, 0.1), cos = Math.Cos(angle) / scale, sin = Math.Sin(angle) / scale, mirror = random.Next(2) * 2 - 1;
        var blots = Enumerable.Range(0, random.Next(3)).Select(_ => (
            X: Between(0, size), Y: Between(0, size), Radius: size * Between(0.05, 0.2), Colour: Colour(0.4, 1))).ToArray();
        double wx = Between(-4, 4) / size, wy = Between(-4, 4) / size, phase = Between(0, Math.Tau);
        var rgba = new byte[size * size * 4];
        for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++)
        {
            double covered = 0;   // several samples a pixel, for soft edges
            for (int s = 0; s < SamplesPerAxis * SamplesPerAxis; s++)
            {
                double dx = x + (s % SamplesPerAxis + 0.5) / SamplesPerAxis - centreX, dy = y + (s / SamplesPerAxis + 0.5) / SamplesPerAxis - centreY;
                if (inside((dx * cos + dy * sin) * mirror, dy * cos - dx * sin)) covered += 1.0 / (SamplesPerAxis * SamplesPerAxis);
            }
            double[] below = ground;
            foreach (var blot in blots)
                if ((x - blot.X) * (x - blot.X) + (y - blot.Y) * (y - blot.Y) < blot.Radius * blot.Radius) below = blot.Colour;
            double light = 0.12 * Math.Sin(x * wx + y * wy + phase);
            for (int c = 0; c < 3; c++)
            {
                double value = below[c] + (paint[c] - below[c]) * covered + light + Between(-0.034, 0.034);
                rgba[(y * size + x) * 4 + c] = (byte)(Math.Clamp(value, 0, 1) * 255);
            }
            rgba[(y * size + x) * 4 + 3] = 255;
        }
        return rgba;
    }

    private static bool Disc(double x, double y, double centreX, double centreY, double radius) =>
        (x - centreX) * (x - centreX) + (y - centreY) * (y - centreY) < radius * radius;

    private static bool Box(double x, double y, double left, double top, double right, double bottom) => x > left && x < right && y > top && y < bottom;

    private static bool Polygon(double x, double y, params ReadOnlySpan<double> corners)
    {
        bool inside = false;
        for (int i = 0; i < corners.Length; i += 2)
        {
            int j = (i + 2) % corners.Length;
            double x0 = corners[i], y0 = corners[i + 1], x1 = corners[j], y1 = corners[j + 1];
            if (y0 > y != y1 > y && x < x0 + (x1 - x0) * (y - y0) / (y1 - y0)) inside = !inside;
        }
        return inside;
    }
}

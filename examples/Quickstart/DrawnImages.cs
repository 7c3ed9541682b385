using Microsoft.ML.Data;

namespace Quickstart;

/// <summary>
/// A small labelled image set drawn on the spot, so that the quickstart runs anywhere: shapes and textures in random colours, positions and scales.
/// Neither colour nor place tells the class.
/// </summary>
internal static class DrawnImages
{
    private const int TrainPerClass = 250, ValidationPerClass = 50;

    /// <summary>Whether a point belongs to the figure; the figure's own coordinates run from -1 to 1.</summary>
    private delegate bool Figure(double x, double y);

    private static readonly (string Name, Figure Inside)[] s_classes =
    [
        ("disc", (x, y) => x * x + y * y < 1),
        ("ring", (x, y) => x * x + y * y is < 1 and > 0.4),
        ("square", (x, y) => Math.Abs(x) < 0.85 && Math.Abs(y) < 0.85),
        ("triangle", (x, y) => y is > -0.8 and < 0.9 && Math.Abs(x) < (y + 0.8) / 1.8),
        ("cross", (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) < 1 && Math.Min(Math.Abs(x), Math.Abs(y)) < 0.33),
        ("stripes", (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) < 1 && (int)Math.Floor((x + 1) * 3) % 2 == 0),
        ("checks", (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) < 1 && ((int)Math.Floor((x + 1) * 2) + (int)Math.Floor((y + 1) * 2)) % 2 == 0),
        ("dots", (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) < 1 && Square(Frac((x + 1) * 2) - 0.5) + Square(Frac((y + 1) * 2) - 0.5) < 0.09),
    ];

    /// <summary>Writes the set as class folders under <c>train</c> and <c>val</c>, unless it is there already, and gives its folder.</summary>
    public static string Write(string folder, int size, int seed)
    {
        string set = Path.Combine(folder, $"{size}px-seed{seed}"), done = Path.Combine(set, "complete");
        if (File.Exists(done)) return set;
        for (int c = 0; c < s_classes.Length; c++)
        {
            (string name, Figure inside) = s_classes[c];
            var random = new Random(seed * 1000 + c);
            for (int i = 0; i < TrainPerClass + ValidationPerClass; i++)
            {
                string directory = Directory.CreateDirectory(Path.Combine(set, i < TrainPerClass ? "train" : "val", name)).FullName;
                using var image = MLImage.CreateFromPixels(size, size, MLPixelFormat.Rgba32, Draw(inside, size, random));
                image.Save(Path.Combine(directory, $"{i:D4}.png"));
            }
        }
        File.WriteAllText(done, "");
        return set;
    }

    private static byte[] Draw(Figure inside, int size, Random random)
    {
        (double[] ground, double[] paint) = Colours(random);
        double scale = size * (0.22 + 0.2 * random.NextDouble()), angle = (random.NextDouble() - 0.5) * 0.8;
        double centreX = scale + random.NextDouble() * (size - 2 * scale), centreY = scale + random.NextDouble() * (size - 2 * scale);
        double shade = (random.NextDouble() - 0.5) * 0.6, cos = Math.Cos(angle) / scale, sin = Math.Sin(angle) / scale;
        var rgba = new byte[size * size * 4];
        for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++)
        {
            double covered = 0;   // four samples a pixel, for soft edges
            for (int s = 0; s < 4; s++)
            {
                double dx = x + 0.25 + 0.5 * (s & 1) - centreX, dy = y + 0.25 + 0.5 * (s >> 1) - centreY;
                if (inside(dx * cos + dy * sin, dy * cos - dx * sin)) covered += 0.25;
            }
            for (int c = 0; c < 3; c++)
            {
                double value = ground[c] + (paint[c] - ground[c]) * covered + shade * ((double)x / size - 0.5) + (random.NextDouble() - 0.5) * 0.06;
                rgba[(y * size + x) * 4 + c] = (byte)(Math.Clamp(value, 0, 1) * 255);
            }
            rgba[(y * size + x) * 4 + 3] = 255;
        }
        return rgba;
    }

    private static (double[] Ground, double[] Paint) Colours(Random random)
    {
        while (true)   // two colours that can be told apart
        {
            double[] ground = [random.NextDouble(), random.NextDouble(), random.NextDouble()];
            double[] paint = [random.NextDouble(), random.NextDouble(), random.NextDouble()];
            if (ground.Zip(paint, (a, b) => Math.Abs(a - b)).Sum() > 0.9) return (ground, paint);
        }
    }

    private static double Frac(double x) => x - Math.Floor(x);

    private static double Square(double x) => x * x;
}

using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CoreEnvironmentTests
{
    [TestMethod]
    public void Hosts_of_equal_seeds_have_equal_random_numbers_and_each_host_its_own()
    {
        IHostEnvironment first = new MLContext(seed: 5);
        IHostEnvironment second = new MLContext(seed: 5);
        int[] a = Draw(first.Register("A"));
        CollectionAssert.AreEqual(a, Draw(second.Register("B")));
        CollectionAssert.AreNotEqual(a, Draw(first.Register("A")));
        CollectionAssert.AreEqual(Draw(first.Register("C", seed: 3)), Draw(second.Register("D", seed: 3)));

        static int[] Draw(IHost host) => [.. Enumerable.Range(0, 8).Select(_ => host.Rand.Next(1_000_000))];
    }

    [TestMethod]
    public void The_numbers_of_a_seed_are_ML_NETs_own()
    {
        // Three Tausworthe generators and a linear congruential one, seeded by rounds of MurmurHash3.
        IHost host = ((IHostEnvironment)new MLContext()).Register("Host", seed: 1);
        uint[] z = [1, Murmur(1, 1), 0, 0];
        z[2] = Murmur(z[1], 1);
        z[3] = Murmur(z[2], 1);
        for (int i = 0; i < 20; i++)
            Assert.AreEqual(Next() * (1.0 / 4294967296.0), host.Rand.NextDouble());

        uint Next()
        {
            z[0] = Step(z[0], 13, 19, 12, ~1U);
            z[1] = Step(z[1], 2, 25, 4, ~7U);
            z[2] = Step(z[2], 3, 11, 17, ~15U);
            z[3] = (1664525 * z[3]) + 1013904223;
            return z[0] ^ z[1] ^ z[2] ^ z[3];
        }

        static uint Step(uint z, int s1, int s2, int s3, uint mask) => ((z & mask) << s3) ^ (((z << s1) ^ z) >> s2);

        static uint Murmur(uint hash, uint chunk)
        {
            hash ^= uint.RotateLeft(chunk * 0xCC9E2D51, 15) * 0x1B873593;
            return (uint.RotateLeft(hash, 13) * 5) + 0xE6546B64;
        }
    }

    [TestMethod]
    public void Channel_messages_reach_the_log()
    {
        var ml = new MLContext();
        var messages = new List<LoggingEventArgs>();
        ml.Log += (_, e) => messages.Add(e);
        using (IChannel ch = ((IHostEnvironment)ml).Register("Host").Start("Work"))
        {
            ch.Info(MessageSensitivity.None, "{0} of {1}", 1, 2);
            ch.Warning(MessageSensitivity.None, "careful {0}");
        }

        LoggingEventArgs info = messages.Single(m => m.Kind == ChannelMessageKind.Info);
        Assert.AreEqual("1 of 2", info.RawMessage);
        Assert.AreEqual("Host; Work", info.Source);
        Assert.AreEqual("[Source=Host; Work, Kind=Info] 1 of 2", info.Message);
        Assert.AreEqual("careful {0}", messages.Single(m => m.Kind == ChannelMessageKind.Warning).RawMessage);
        Assert.AreEqual("Channel started", messages[0].RawMessage);
        Assert.AreEqual("Channel disposed", messages[^1].RawMessage);
    }

    [TestMethod]
    public void A_context_starts_without_a_GPU()
    {
        var ml = new MLContext();
        Assert.IsNull(ml.GpuDeviceId);
        Assert.IsFalse(ml.FallbackToCpu);
        Assert.AreEqual(Path.GetTempPath(), ml.TempFilePath);
    }

    [TestMethod]
    public void Options_are_kept_by_name_and_type()
    {
        var ml = new MLContext();
        Assert.IsTrue(ml.TryAddOption("a", 1));
        Assert.IsFalse(ml.TryAddOption("a", 2));
        Assert.IsTrue(ml.TryGetOption("a", out int value));
        Assert.AreEqual(1, value);
        Assert.IsFalse(ml.TryGetOption("a", out string? _));
        ml.SetOption("a", "text");
        Assert.AreEqual("text", ml.GetOptionOrDefault<string>("a"));
        Assert.IsTrue(ml.RemoveOption("a"));
        Assert.AreEqual(0, ml.GetOptionOrDefault<int>("a"));
    }

    [TestMethod]
    public void The_environment_is_reached_by_the_names_that_extensions_use()
    {
        // No public route leads from a catalog to its environment: extensions read these members.
        var ml = new MLContext { GpuDeviceId = 3, FallbackToCpu = true };
        foreach (object catalog in new object[] { ml.Transforms, ml.Data, ml.Model })
        {
            var field = catalog.GetType().GetField("_env", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance);
            Assert.IsNotNull(field, catalog.GetType().Name);
            Assert.AreEqual(typeof(IHostEnvironment), field.FieldType);
            CheckSettings(field.GetValue(catalog)!);
        }

        object owner = Get(ml.MulticlassClassification.Trainers, typeof(TrainCatalogBase.CatalogInstantiatorBase), "Owner");
        Assert.AreSame(ml.MulticlassClassification, owner);
        CheckSettings(Get(owner, typeof(TrainCatalogBase), "Environment"));

        static object Get(object target, Type type, string property) =>
            type.GetProperty(property, System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(target)!;

        static void CheckSettings(object env)
        {
            Assert.AreEqual(3, env.GetType().GetProperty("GpuDeviceId")!.GetValue(env));
            Assert.AreEqual(true, env.GetType().GetProperty("FallbackToCpu")!.GetValue(env));
            Assert.AreEqual(Path.GetTempPath(), env.GetType().GetProperty("TempFilePath")!.GetValue(env));
            Assert.IsInstanceOfType<IHostEnvironment>(env);
        }
    }
}
